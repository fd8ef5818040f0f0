// An SMSC on npm `smpp`, whose codec is not ours: it answers in hexadecimal ids, its receipts name
// decimal ones, and a submit whose text is "mo HOW TEXT" makes a phone answer TEXT as HOW.
// Prints its port, then one JSON line for each submit_sm and each deliver_sm_resp.
const smpp = require('smpp');

const say = (what) => console.log(JSON.stringify(what));
let next = 0x3e8;

function body(pdu) {
  const content = pdu.message_payload === undefined ? pdu.short_message : pdu.message_payload;
  return content.message === undefined ? content : content.message;
}

function receipt(session, pdu, id) {
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    receipted_message_id: String(id).padStart(10, '0'),
    message_state: 2,
    short_message: { message: Buffer.from(`id:${String(id).padStart(10, '0')} stat:DELIVRD err:000 text:`) },
  }, (answer) => say({ delivered: answer.command_status }));
}

function mo(session, pdu, how, text) {
  const octets = Buffer.from(text, 'utf16le').swap16();
  const size = how === 'payload' ? octets.length : 134;
  const total = Math.ceil(octets.length / size);
  for (let n = 1; n <= total; n++) {
    const chunk = octets.subarray((n - 1) * size, n * size);
    const part = { source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, data_coding: 8, esm_class: 0 };
    if (how === 'payload') part.message_payload = { message: chunk };
    else if (how === 'sar') Object.assign(part, { short_message: { message: chunk }, sar_msg_ref_num: 9, sar_total_segments: total, sar_segment_seqnum: n });
    else Object.assign(part, { esm_class: 0x40, short_message: { udh: Buffer.from([5, 0, 3, 9, total, n]), message: chunk } });
    session.deliver_sm(part, (answer) => say({ delivered: answer.command_status }));
  }
}

const server = smpp.createServer({}, (session) => {
  session.on('error', (error) => say({ error: String(error) }));
  session.on('bind_transceiver', (pdu) => {
    session.send(pdu.response({ command_status: pdu.password === 'secret' ? 0 : smpp.ESME_RINVPASWD, system_id: 'npm' }));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const id = ++next;
    const text = body(pdu);
    say({
      id, text, source: pdu.source_addr, sourceTon: pdu.source_addr_ton, destination: pdu.destination_addr, coding: pdu.data_coding,
      esm: pdu.esm_class, validity: Boolean(pdu.validity_period), udh: pdu.short_message.udh, sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
    });
    session.send(pdu.response({ message_id: id.toString(16).toUpperCase() }));
    if (pdu.registered_delivery & 1) receipt(session, pdu, id);
    const [word, how, ...rest] = text.split(' ');
    if (word === 'mo') mo(session, pdu, how, rest.join(' '));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
