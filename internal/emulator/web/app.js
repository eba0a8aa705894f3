'use strict';
// State, network and the behaviour of the phones.

const $ = (id) => document.getElementById(id);
const S = { people: [], feeds: {}, follows: {}, menu: null, who: {}, unread: {}, mode: 'menu', skew: 0, loaded: false };
const now = () => Date.now() + S.skew;

async function post(path, body, type = 'application/json') {
  const res = await fetch(`api/${path}`, { method: 'POST', headers: { 'Content-Type': type }, body: type === 'application/json' ? JSON.stringify(body) : body });
  if (!res.ok) toast((await res.text()).trim() || '没有成功，再试一次');
  return res;
}
const deed = (channel, kind, arg = '') => post(`people/${S.who[channel]}/${channel}/${kind}`, { arg });

let toastTimer;
function toast(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 2600);
}

// --- people ---
const person = (channel) => S.people.find((p) => p.id === S.who[channel]);

function drawPeople(channel, box) {
  const chips = S.people.map((p) => el('button', {
    class: 'chip', 'aria-pressed': String(p.id === S.who[channel]), 'data-person': p.id, title: `${p.role} ${p.name}`,
    onclick: () => { S.who[channel] = p.id; if (channel === 'wechat') S.mode = S.menu ? 'menu' : 'keys'; closeAll(); draw(); },
  }, avatar(p), el('span', {}, p.name), S.unread[`${channel} ${p.id}`] ? el('i', { class: 'dot' }) : null));
  chips.push(el('button', { class: 'chip add', title: '再来一个人', onclick: () => addPerson(channel) }, el('span', { class: 'avatar plus' }, '+'), el('span', {}, '加人')));
  box.replaceChildren(...chips);
  const current = box.querySelector('[aria-pressed=true]');
  if (current) box.scrollLeft = Math.max(0, current.offsetLeft - box.clientWidth + current.offsetWidth + 60);
}

function addPerson(channel) {
  const name = el('input', { placeholder: '名字', maxlength: '12', 'aria-label': '名字' });
  const role = el('input', { placeholder: '身份，如 农民、经纪人', maxlength: '8', 'aria-label': '身份' });
  openSheetOn(channel, '再来一个人', el('form', {
    class: 'fields', onsubmit: async (e) => {
      e.preventDefault();
      const res = await post('people', { name: name.value, role: role.value });
      if (!res.ok) return;
      const p = await res.json();
      if (!S.people.some((q) => q.id === p.id)) S.people.push(p);
      S.who[channel] = p.id;
      closeAll();
      draw();
    },
  }, name, role, el('button', { class: 'primary' }, '好了')));
  name.focus();
}

// --- feeds ---
const feedOf = (channel) => (S.feeds[S.who[channel]] || []).filter((b) => b.channel === channel);

function tries(words, send) {
  return el('div', { class: 'tries' }, el('p', {}, '试试说：'), ...words.map((w) => el('button', { onclick: () => send(w) }, w)));
}

function drawWeChat() {
  const p = person('wechat');
  if (!p) return;
  const follows = !!S.follows[p.id];
  const empty = follows
    ? tries(['黄桃5000斤,3块5一斤', '今天黄桃什么价', '我要报名对接会'], (w) => deed('wechat', 'text', w))
    : el('div', { class: 'tries' }, el('p', {}, `${p.name}还没有关注公众号`));
  drawFeed($('wx-feed'), feedOf('wechat'), now(), (b) => wxRow(b, p), empty);
  const bar = $('wx-bar');
  bar.dataset.mode = !follows ? 'follow' : S.mode !== 'menu' || S.menu ? S.mode : 'keys';
  bar.dataset.menu = S.menu ? 'yes' : 'no';
  $('wx-menu').replaceChildren(...(S.menu || []).map((b) => el('button', {
    onclick: (e) => (b.sub_button && b.sub_button.length ? popup(e.currentTarget, b) : press(b)),
  }, b.sub_button && b.sub_button.length ? icon(['M5 8h14', 'M5 12h14', 'M5 16h14']) : null, b.name)));
}

function drawSMS() {
  const p = person('sms');
  if (!p) return;
  $('sms-title').textContent = p.writes || S.sender;
  drawFeed($('sms-feed'), feedOf('sms'), now(), smsRow, tries(['求购黄桃2万斤,3块2左右,要炎陵的', '今天黄桃什么价', '帮助'], (w) => deed('sms', 'text', w)));
}

function draw() {
  for (const channel of ['wechat', 'sms']) delete S.unread[`${channel} ${S.who[channel]}`];
  drawPeople('wechat', $('wx-people'));
  drawPeople('sms', $('sms-people'));
  drawWeChat();
  drawSMS();
}

// --- menu ---
function press(b) {
  closeAll();
  deed('wechat', 'click', b.key || b.name);
}

function popup(button, b) {
  const open = $('wx-menu').querySelector('.popup');
  closeAll();
  if (open && open.parentElement === button) return;
  button.append(el('span', { class: 'popup' }, ...b.sub_button.map((s) => el('span', {
    class: 'item', role: 'button', tabindex: '0',
    onclick: (e) => { e.stopPropagation(); press(s); }, onkeydown: (e) => { if (e.key === 'Enter') { e.stopPropagation(); press(s); } },
  }, s.name))));
}

// --- sheets ---
function openSheet(title, ...body) { openSheetOn('wechat', title, ...body); }
function openSheetOn(channel, title, ...body) {
  closeAll();
  document.querySelector(channel === 'sms' ? '.phone.sms' : '.phone.wx').append($('cover'), $('sheet'));
  $('sheet').replaceChildren(el('h3', {}, title), ...body, el('button', { class: 'cancel', onclick: closeAll }, '取消'));
  $('sheet').hidden = $('cover').hidden = false;
}
function closeAll() {
  $('sheet').hidden = $('cover').hidden = $('wx-panel').hidden = $('wx-listening').hidden = true;
  for (const p of document.querySelectorAll('.popup')) p.remove();
}
const choices = (items, act) => el('div', { class: 'choices' }, ...items.map((i) => el('button', { onclick: () => { closeAll(); act(i); } }, i.label)));

function profile() {
  const follows = S.follows[S.who.wechat];
  openSheet('',
    el('div', { class: 'profile' }, accountAvatar(), el('b', {}, $('wx-title').textContent), el('p', {}, '服务号 · 县商务局')),
    follows
      ? el('button', { class: 'danger', onclick: () => { closeAll(); deed('wechat', 'unfollow'); } }, '不再关注')
      : el('button', { class: 'primary', onclick: () => { closeAll(); deed('wechat', 'follow'); } }, '关注公众号'),
    el('button', { class: 'plain', onclick: scan }, '扫一扫站点的二维码'));
}
const scan = () => openSheet('扫哪个二维码', choices(S.scenes, (s) => deed('wechat', 'scan', s.value)));
const locate = () => openSheet('发送位置', choices(S.places, (p) => deed('wechat', 'location', p.label)));

function photos() {
  const file = el('input', { type: 'file', accept: 'image/*', class: 'file', onchange: () => { if (file.files[0]) { closeAll(); sendPicture(file.files[0]); } } });
  openSheet('选一张照片',
    el('div', { class: 'album' }, ...['黄桃', '冬笋', '脐橙'].map((name) => {
      const canvas = sketch(name);
      return el('button', { 'aria-label': name, onclick: () => canvas.toBlob((blob) => { closeAll(); sendPicture(blob); }, 'image/jpeg', 0.85) }, canvas, el('span', {}, name));
    })),
    el('label', { class: 'plain' }, '从本机选择', file));
}
const sendPicture = (blob) => post(`people/${S.who.wechat}/wechat/image`, blob, 'image/jpeg');

function spoken() {
  const words = el('input', { placeholder: '例如：我屋里有黄桃三千斤', maxlength: '200', 'aria-label': '说了什么' });
  openSheet('刚才说了什么？', el('form', {
    class: 'fields', onsubmit: (e) => { e.preventDefault(); const text = words.value.trim(); if (text) { closeAll(); deed('wechat', 'voice', text); } },
  }, words, el('button', { class: 'primary', id: 'voice-send' }, '发送语音')));
  words.focus();
}

function plusPanel() {
  const panel = $('wx-panel');
  const open = !panel.hidden;
  closeAll();
  if (open) return;
  const entry = (label, path, act) => el('button', { onclick: act }, el('span', {}, icon(path)), label);
  panel.replaceChildren(
    entry('照片', ['M4 6h16v12H4z', 'm4 16 5-4 4 3 3-3 4 4'], photos),
    entry('位置', ['M12 21c5-5.5 7-8.5 7-11.5a7 7 0 0 0-14 0c0 3 2 6 7 11.5z', 'M12 7.5a2 2 0 1 0 .01 0'], locate),
    entry('扫一扫', ['M4 8V4h4', 'M20 8V4h-4', 'M4 16v4h4', 'M20 16v4h-4', 'M4 12h16'], scan),
    entry('公众号', ['M12 4a4 4 0 1 0 .01 0', 'M4 20c.6-4 3.7-6 8-6s7.4 2 8 6'], profile));
  panel.hidden = false;
  $('wx-feed').scrollTop = $('wx-feed').scrollHeight;
}

// --- inputs ---
function wire() {
  const setMode = (mode) => { S.mode = mode; closeAll(); drawWeChat(); if (mode === 'keys') $('wx-text').focus(); };
  $('wx-to-keyboard').onclick = () => setMode('keys');
  $('wx-to-menu').onclick = () => setMode('menu');
  $('wx-to-voice').onclick = () => setMode(S.mode === 'voice' ? 'keys' : 'voice');
  $('wx-plus').onclick = plusPanel;
  $('wx-photo').onclick = photos;
  $('wx-profile').onclick = profile;
  $('wx-follow').onclick = () => deed('wechat', 'follow');
  $('cover').onclick = closeAll;
  $('wx-feed').addEventListener('click', closeAll);
  $('wx-text').oninput = () => { $('wx-form').classList.toggle('typing', $('wx-text').value.trim() !== ''); };
  $('wx-form').onsubmit = (e) => {
    e.preventDefault();
    const text = $('wx-text').value.trim();
    if (!text) return;
    $('wx-text').value = '';
    $('wx-text').oninput();
    deed('wechat', 'text', text);
  };
  const hold = $('wx-hold');
  let held = false;
  hold.onpointerdown = (e) => { e.preventDefault(); held = true; hold.classList.add('down'); $('wx-listening').hidden = false; };
  addEventListener('pointerup', () => {
    if (!held) return;
    held = false;
    hold.classList.remove('down');
    spoken();
  });
  hold.onkeydown = (e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); spoken(); } };
  const box = $('sms-text');
  box.oninput = () => {
    const { n, parts } = smsCount(box.value);
    $('sms-counter').textContent = n ? `${n} 字 · ${parts} 条` : '';
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight, 96)}px`;
    $('sms-form').classList.toggle('typing', box.value.trim() !== '');
  };
  box.onkeydown = (e) => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); $('sms-form').requestSubmit(); } };
  $('sms-form').onsubmit = (e) => {
    e.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = '';
    box.oninput();
    deed('sms', 'text', text);
  };
  for (const b of document.querySelectorAll('.tabs button')) b.onclick = () => go(b.dataset.go);
  addEventListener('keydown', (e) => { if (e.key === 'Escape') closeAll(); });
}

function go(tab) {
  document.body.dataset.tab = tab;
  for (const b of document.querySelectorAll('.tabs button')) {
    b.setAttribute('aria-current', String(b.dataset.go === tab));
    if (b.dataset.go === tab) b.classList.remove('unseen');
  }
  draw();
}
const markTab = (tab) => { if (document.body.dataset.tab !== tab) document.querySelector(`.tabs [data-go=${tab}]`).classList.add('unseen'); };

// --- clock ---
function setClock(at) {
  const day = dayNumber(now());
  S.skew = new Date(at).getTime() - Date.now();
  drawClock();
  if (S.loaded && dayNumber(now()) !== day) draw();
}
function drawClock() {
  const p = dateParts(now());
  $('date').textContent = `${p.year}年${p.month}月${p.day}日 ${p.weekday}`;
  $('time').textContent = `${p.hour}:${p.minute}`;
  for (const s of document.querySelectorAll('.status-time')) s.textContent = `${p.hour}:${p.minute}`;
}

// --- news from the server ---
const news = {
  hello: load,
  clock: setClock,
  menu: (menu) => { S.menu = menu && menu.length ? menu : null; drawWeChat(); },
  person: (p) => { if (!S.people.some((q) => q.id === p.id)) S.people.push(p); draw(); },
  follows: ({ person: id, follows }) => { S.follows[id] = follows; if (id === S.who.wechat) drawWeChat(); },
  toast,
  bureau: (view) => { if (S.loaded) markTab('bureau'); drawBureau(view); },
  bubble: ({ person: id, bubble }) => {
    const feed = (S.feeds[id] ||= []);
    const at = feed.findIndex((b) => b.id === bubble.id);
    if (at >= 0) feed[at] = bubble;
    else feed.push(bubble);
    feed.sort((a, b) => a.id - b.id);
    const channel = bubble.channel;
    if (id !== S.who[channel]) {
      S.unread[`${channel} ${id}`] = bubble.from !== 'me';
      drawPeople(channel, channel === 'sms' ? $('sms-people') : $('wx-people'));
    } else if (channel === 'sms') drawSMS();
    else drawWeChat();
    if (bubble.from !== 'me') markTab(channel);
  },
};

async function load() {
  S.feeds = {};
  const state = await (await fetch('api/state')).json();
  for (const [id, feed] of Object.entries(state.feeds)) {
    // What came by the stream while the state was on its way is newer.
    const newer = (S.feeds[id] || []).filter((b) => !feed.some((f) => f.id === b.id));
    S.feeds[id] = [...feed, ...newer];
  }
  Object.assign(S, { people: state.people, follows: state.follows, scenes: state.scenes, places: state.places });
  S.menu = state.menu && state.menu.length ? state.menu : null;
  const broker = S.people.find((p) => p.role.includes('经纪人')) || S.people[S.people.length - 1];
  S.who.wechat ||= S.people[0]?.id;
  S.who.sms ||= broker?.id;
  $('wx-title').textContent = state.account;
  S.sender = state.sender;
  $('actions').replaceChildren(...state.actions.map((a) => el('button', {
    'data-action': a.key,
    onclick: async (e) => {
      const b = e.currentTarget;
      b.disabled = true;
      try { if ((await post(`actions/${a.key}`, {})).ok) toast(`${a.label}：好了`); } finally { b.disabled = false; }
    },
  }, a.label)));
  setClock(state.now);
  drawBureau(state.bureau);
  go(document.body.dataset.tab);
  S.loaded = true;
  document.body.classList.add('ready');
}

wire();
setInterval(drawClock, 1000);
const source = new EventSource('api/events');
source.onmessage = (e) => {
  const { kind, data } = JSON.parse(e.data);
  if (news[kind]) news[kind](data);
};
