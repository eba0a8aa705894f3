'use strict';
// What the bureau sees: four tables that are drawn anew when they change; rows that were not there before light up.

const bureauTables = [
  {
    key: 'listings', title: '供求登记', empty: '还没有登记。到手机上说一句"黄桃5000斤,3块5一斤"试试。',
    head: ['货', '价格', '从哪里来'],
    cells: (r) => [
      [[tag(r.kind), el('b', {}, r.product), ' ', r.quantity], [r.time, r.status]],
      [[r.price || '面议'], []],
      [[r.place || '产地待问'], [r.contact, r.channel]],
    ],
  },
  {
    key: 'signups', title: '对接会报名', empty: '还没有人报名。',
    head: ['商户', '品种', '对接会'],
    cells: (r) => [[[el('b', {}, r.name || '未留名')], [r.type, r.region]], [[r.products || '—'], []], [[r.fair], [r.time, r.channel]]],
  },
  {
    key: 'quotes', title: '今日行情', empty: '还没有行情。',
    head: ['品种', '平均价', '市场'],
    cells: (r) => [[[el('b', {}, r.product)], []], [[el('b', { class: 'num' }, r.price), ' ', el('small', {}, r.unit)], []], [[r.market, ' ', el('small', {}, r.day)], []]],
  },
  {
    key: 'deliveries', title: '发出去的', empty: '还没有发过消息。',
    head: ['内容', '状态', '给谁'],
    cells: (r) => [[[el('span', { class: 'clip' }, r.text)], [r.kind, r.time]], [[tag(r.state)], []], [[r.contact], [r.channel]]],
  },
];

function tag(word) {
  const tone = { 供应: 'green', 求购: 'blue', 已送达: 'green', 已发出: 'green', 失败: 'red', 未知: 'amber' }[word] || 'grey';
  return el('i', { class: `tag ${tone}` }, word);
}

const seenRows = new Map();

function drawBureau(view) {
  const cards = document.getElementById('cards');
  if (!view) {
    cards.replaceChildren(el('p', { class: 'nothing' }, '这里没有接商务局的数据。'));
    return;
  }
  cards.replaceChildren(...bureauTables.map((t) => {
    const rows = view[t.key] || [];
    const before = seenRows.get(t.key);
    const now = new Set();
    const body = rows.map((r) => {
      const id = JSON.stringify({ ...r, status: '', state: '' });
      now.add(id);
      return el('tr', { class: before && !before.has(id) ? 'fresh' : '' }, ...t.cells(r).map(([main, sub]) => {
        sub = sub.filter(Boolean);
        return el('td', {}, el('div', {}, ...main), sub.length ? el('small', {}, sub.join(' · ')) : null);
      }));
    });
    seenRows.set(t.key, now);
    return el('article', { class: `table ${t.key}` },
      el('h3', {}, t.title, el('span', {}, rows.length ? String(rows.length) : '')),
      rows.length
        ? el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {}, ...t.head.map((h) => el('th', {}, h)))), el('tbody', {}, ...body)))
        : el('p', { class: 'nothing' }, t.empty));
  }));
}
