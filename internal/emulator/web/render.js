'use strict';
// Drawing of chats. Text always goes in as text, never as HTML.

function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== 'string') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const svgNS = 'http://www.w3.org/2000/svg';
function icon(path) {
  const s = document.createElementNS(svgNS, 'svg');
  s.setAttribute('viewBox', '0 0 24 24');
  for (const d of [].concat(path)) {
    const p = document.createElementNS(svgNS, 'path');
    p.setAttribute('d', d);
    s.append(p);
  }
  return s;
}

const zone = 'Asia/Shanghai';
const partsOf = new Intl.DateTimeFormat('zh-CN', {
  timeZone: zone, year: 'numeric', month: 'numeric', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});
function dateParts(at) {
  const out = {};
  for (const p of partsOf.formatToParts(new Date(at))) out[p.type] = p.value;
  return out;
}
const dayNumber = (at) => Math.floor((new Date(at).getTime() + 8 * 3600e3) / 86400e3);

// chatTime is a time as a phone writes it above a bubble.
function chatTime(at, now) {
  const p = dateParts(at);
  const days = dayNumber(now) - dayNumber(at);
  const clock = `${p.hour}:${p.minute}`;
  if (days === 0) return clock;
  if (days === 1) return `昨天 ${clock}`;
  return `${p.month}月${p.day}日 ${clock}`;
}

const tints = ['#c9773b', '#4f8a5b', '#5b7db1', '#a0617e', '#8a7a3c', '#4d8f94', '#9a5a4a', '#6d6aa8'];
function avatar(person, size = '') {
  const n = Number(person.id.slice(1)) || 0;
  return el('span', { class: `avatar tint${n % tints.length} ${size}`, 'aria-hidden': 'true' }, [...person.name][0]);
}
function accountAvatar() {
  return el('img', { class: 'avatar', src: 'icon.svg', alt: '' });
}

// linked turns <a href> (which the platform allows in texts) into blue words and keeps line breaks.
function linked(text) {
  const out = [];
  let rest = text;
  for (let m; (m = /<a\s[^>]*>(.*?)<\/a>/is.exec(rest));) {
    out.push(rest.slice(0, m.index), el('span', { class: 'link' }, m[1]));
    rest = rest.slice(m.index + m[0].length);
  }
  out.push(rest);
  return out;
}

const voiceSeconds = (text) => Math.max(2, Math.min(60, Math.round([...text].length / 4)));

function wxBody(b) {
  switch (b.kind) {
    case 'voice': {
      const s = voiceSeconds(b.text);
      return el('div', { class: 'stack' },
        el('div', { class: `bubble voice len${Math.min(6, Math.ceil(s / 4))}` },
          icon(['M8 9.5c1.3 1.5 1.3 3.5 0 5', 'M11 7c2.6 3 2.6 7 0 10', 'M14 4.5c4 4.5 4 10.5 0 15']), el('span', {}, `${s}″`)),
        b.text && b.from === 'me' ? el('div', { class: 'spoken' }, b.text) : null);
    }
    case 'image':
      return el('div', { class: 'picture' }, el('img', { src: b.image, alt: b.text || '图片' }));
    case 'location':
      return el('div', { class: 'card place' }, el('b', {}, b.text), el('div', { class: 'map' }, el('i')));
    case 'news':
      return el('div', { class: 'card news' }, el('b', {}, b.title), el('p', {}, b.text));
    case 'template':
      return el('div', { class: 'card template' }, el('b', {}, b.title),
        el('dl', {}, ...b.fields.flatMap((f) => [el('dt', {}, f.label), el('dd', {}, f.value)])),
        b.url ? el('p', { class: 'more' }, '查看详情', el('span', {}, '›')) : null);
    default:
      return el('div', { class: 'bubble' }, ...linked(b.text));
  }
}

function wxRow(b, person) {
  if (b.kind === 'note' || b.from === 'system') return el('div', { class: 'note' }, b.text);
  const mine = b.from === 'me';
  if (b.kind === 'template') return el('div', { class: 'row wide' }, wxBody(b));
  return el('div', { class: `row ${mine ? 'mine' : 'theirs'}` },
    mine ? avatar(person) : accountAvatar(), wxBody(b),
    b.failed ? el('span', { class: 'failed', title: '没有送到' }, '!') : null);
}

function smsRow(b) {
  const mine = b.from === 'me';
  return el('div', { class: `row ${mine ? 'mine' : 'theirs'}` },
    el('div', { class: 'bubble' }, b.text),
    b.failed ? el('span', { class: 'failed', title: '没有送到' }, '!') : null);
}

// drawFeed draws a whole chat; times stand where five minutes went by. Bubbles that did not change keep their elements, so that
// pictures are not loaded again.
function drawFeed(box, bubbles, now, row, empty) {
  const kept = box.kept || new Map();
  box.kept = new Map();
  const rows = [];
  let last = 0;
  for (const b of bubbles) {
    const at = new Date(b.at).getTime();
    if (Math.abs(at - last) > 5 * 60e3) rows.push(el('time', { datetime: b.at }, chatTime(b.at, now)));
    last = at;
    const key = JSON.stringify(b);
    const node = kept.get(key) || row(b);
    box.kept.set(key, node);
    rows.push(node);
  }
  if (!rows.length) rows.push(empty);
  box.replaceChildren(...rows);
  const end = () => { box.scrollTop = box.scrollHeight; };
  end();
  for (const img of box.querySelectorAll('.picture img')) if (!img.complete) img.addEventListener('load', end, { once: true });
}

// smsCount is how a carrier counts: up to 70 UTF-16 units are one message, longer ones are cut into pieces of 67.
function smsCount(text) {
  const n = text.length;
  return { n, parts: n <= 70 ? 1 : Math.ceil(n / 67) };
}

// sketch draws a picture of goods, as if a farmer had taken it: there is no camera here.
function sketch(name) {
  const canvas = el('canvas', { width: 480, height: 360 });
  const g = canvas.getContext('2d');
  const looks = { 黄桃: ['#f6c453', '#e88b3a', '#8a5a2b'], 冬笋: ['#c9a36a', '#8f6a3c', '#5b4b31'], 脐橙: ['#ff9d2e', '#ef7d12', '#3f6b34'] };
  const [light, dark, ground] = looks[name] || looks['黄桃'];
  const sky = g.createLinearGradient(0, 0, 0, 360);
  sky.addColorStop(0, '#dfe9d2');
  sky.addColorStop(1, ground);
  g.fillStyle = sky;
  g.fillRect(0, 0, 480, 360);
  g.fillStyle = '#a77b46';
  g.beginPath();
  g.roundRect(40, 190, 400, 140, 18);
  g.fill();
  for (let row = 0; row < 3; row++) {
    for (let i = 0; i < 6 - (row % 2); i++) {
      const x = 85 + i * 62 + (row % 2) * 31;
      const y = 235 - row * 48;
      const shade = g.createRadialGradient(x - 12, y - 14, 4, x, y, 38);
      shade.addColorStop(0, '#fff3d0');
      shade.addColorStop(0.35, light);
      shade.addColorStop(1, dark);
      g.fillStyle = shade;
      g.beginPath();
      if (name === '冬笋') g.ellipse(x, y, 20, 40, 0.5, 0, 7);
      else g.arc(x, y, 34, 0, 7);
      g.fill();
    }
  }
  g.fillStyle = '#8a6236';
  for (let i = 0; i < 5; i++) g.fillRect(40, 250 + i * 17, 400, 5);
  return canvas;
}
