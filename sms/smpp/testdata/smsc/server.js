// An SMSC made of the npm package smpp, which no one here wrote. It says on standard output, a line of JSON each, what it sees; it does
// what the lines on standard input ask for, and ends with them.
'use strict';
const smpp = require('smpp');
const readline = require('readline');

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const sessions = new Set();
let nextID = 4000000000; // in hexadecimal it has letters
let refuse = [];

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('close', () => sessions.delete(session));
  session.on('bind_transceiver', (pdu) => {
    if (pdu.system_id !== 'nongxun' || pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    sessions.add(session);
    session.send(pdu.response({ system_id: 'node', sc_interface_version: 0x34 }));
    say({ bound: pdu.system_id, version: pdu.interface_version });
  });
  session.on('enquire_link', (pdu) => {
    session.send(pdu.response());
    say({ enquired: true });
  });
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
    say({ unbound: true });
  });
  session.on('submit_sm', (pdu) => {
    const status = refuse.shift();
    if (status) {
      session.send(pdu.response({ command_status: status }));
      return;
    }
    const id = nextID++;
    session.send(pdu.response({ message_id: String(id) }));
    const content = pdu.message_payload || pdu.short_message;
    say({
      submit: {
        from: pdu.source_addr, to: pdu.destination_addr, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, coding: pdu.data_coding,
        esm: pdu.esm_class, receipt: pdu.registered_delivery, text: String(content.message),
        udh: content.udh ? content.udh.map((e) => Buffer.from(e).toString('hex')) : [], sar: pdu.sar_segment_seqnum || 0,
      },
    });
    if (pdu.registered_delivery) {
      session.deliver_sm({
        source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: `id:${id.toString(16)} sub:001 dlvrd:001 submit date:2611242330 done date:2611242331 stat:DELIVRD err:000 text:`,
      }, (answer) => say({ answered: answer.command_status }));
    }
  });
});

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  const session = [...sessions][0];
  if (order.refuse) refuse = order.refuse;
  if (order.enquire) session.enquire_link(() => say({ enquireAnswered: true }));
  if (order.deliver) session.deliver_sm(order.deliver, (answer) => say({ answered: answer.command_status }));
  if (order.part) {
    session.deliver_sm({ ...order.part, short_message: { udh: Buffer.from(order.udh, 'hex'), message: order.part.short_message } },
      (answer) => say({ answered: answer.command_status }));
  }
  if (order.cut) for (const s of sessions) s.socket.destroy();
  if (order.unbind) session.unbind(() => say({ unbindAnswered: true }));
}).on('close', () => process.exit(0));
