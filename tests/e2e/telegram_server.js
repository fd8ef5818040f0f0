// Telegram for tests: the npm package telegram-test-api behind a front that adds what aiogram needs
// and it lacks. Prints its port. Theirs: storage, sendMessage, edits, answered buttons, webhooks.
// Ours: long polling that forgets only what an offset confirms, groups, topics, the people's side.
'use strict';

const http = require('http');
const express = require('express');
const TelegramServer = require('telegram-test-api');

const api = new TelegramServer({ host: '127.0.0.1', storeTimeout: 3600 });
const bot = (token) => ({
  id: Number(token.split(':')[0]), is_bot: true, first_name: 'SMS', username: 'OurSmsBot',
});
const calls = [];
const forums = new Set();
const started = new Set(); // who has written to the bot alone, and can be written to
const topics = new Map(); // topic → name
const seconds = () => Math.floor(Date.now() / 1000);
const chatOf = (place) => (place > 0
  ? { id: place, type: 'private', first_name: 'Somebody' }
  : { id: place, type: 'supergroup', title: 'Support', is_forum: forums.has(place) });

// A press without the chat it happened in is none for aiogram.
const format = TelegramServer.formatUpdate;
TelegramServer.formatUpdate = (update) => {
  const found = format(update);
  if (found.callback_query) found.callback_query.chat_instance = '1';
  if (found.message) delete found.message.botToken;
  return found;
};

// What the bot is told of its own post: seconds, its chat, and no parameters of the call.
const add = api.addBotMessage.bind(api);
api.addBotMessage = (raw, token) => {
  const { message_id, text } = add(raw, token);
  const said = { message_id, text, date: seconds(), chat: chatOf(Number(raw.chat_id)), from: bot(token) };
  return raw.message_thread_id
    ? { ...said, message_thread_id: Number(raw.message_thread_id), is_topic_message: true }
    : said;
};

const refuse = (res, error_code, description) => res.status(error_code).json(
  { ok: false, error_code, description });

async function updates(token, offset, timeout) {
  const mine = (update) => update.botToken === token;
  api.storage.userMessages = api.storage.userMessages.filter(
    (update) => !mine(update) || update.updateId >= offset);
  for (const end = Date.now() + timeout * 1000; Date.now() < end;) {
    if (api.storage.userMessages.some(mine)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return api.storage.userMessages.filter(mine).map((update) => TelegramServer.formatUpdate(update));
}

const methods = {
  getMe: (body, token) => ({ ...bot(token), can_join_groups: true }),
  getUpdates: (body, token) => updates(token, Number(body.offset || 0), Number(body.timeout || 0)),
  getChat: (body) => chatOf(Number(body.chat_id)),
  setMyCommands: () => true,
  sendChatAction: () => true,
  leaveChat: () => true,
  createForumTopic: (body) => {
    const topic = api.messageId++;
    topics.set(topic, body.name);
    return { message_thread_id: topic, name: body.name, icon_color: 1 };
  },
};

const front = express();
front.use(express.json(), express.urlencoded({ extended: true }));
front.all('/bot:token/:method', async (req, res, next) => {
  const { token, method } = req.params;
  if (method !== 'getUpdates') calls.push({ method, body: { ...req.body } });
  const { message_thread_id: topic, chat_id: place } = req.body;
  if (topic && !topics.has(Number(topic))) {
    return refuse(res, 400, 'Bad Request: message thread not found');
  }
  if (place > 0 && !started.has(Number(place))) {
    return refuse(res, 403, "Forbidden: bot can't initiate conversation with a user");
  }
  if (!methods[method]) return next();
  return res.json({ ok: true, result: await methods[method](req.body, token) });
});

// The people's side.
const people = express.Router();
people.post('/say', async (req, res) => {
  const { token, place, person, text, answers, topic } = req.body;
  const message = {
    botToken: token, text, date: seconds(), chat: chatOf(place),
    from: { id: person, is_bot: false, first_name: `P${person}` },
  };
  if (topic) Object.assign(message, { message_thread_id: topic, is_topic_message: true });
  if (answers) {
    message.reply_to_message = {
      message_id: answers, date: seconds(), chat: chatOf(place), from: bot(token), text: '…',
    };
  }
  started.add(place);
  const message_id = api.messageId;
  await api.addUserMessage(message);
  res.json({ message_id });
});
people.post('/start', (req, res) => { started.add(req.body.person); res.json({}); });
people.post('/press', async (req, res) => {
  const { token, place, person, post, data, topic } = req.body;
  const message = { message_id: post, date: seconds(), chat: chatOf(place), from: bot(token), text: '…' };
  if (topic) Object.assign(message, { message_thread_id: topic, is_topic_message: true });
  const from = { id: person, is_bot: false, first_name: `P${person}` };
  await api.addUserCallback({ botToken: token, from, message, data });
  res.json({});
});
people.get('/posts', (req, res) => res.json(api.storage.botMessages
  .filter((each) => String(each.message.chat_id) === req.query.place)
  .map((each) => ({ ...each.message, post: each.messageId }))));
people.get('/calls', (req, res) => res.json(calls));
people.get('/waiting', (req, res) => res.json(api.storage.userMessages.length));
people.post('/forum', (req, res) => { forums.add(req.body.place); res.json({}); });
people.get('/topics', (req, res) => res.json([...topics]));
people.post('/delete', (req, res) => res.json(topics.delete(req.body.topic)));
front.use('/people', people);
front.use(api.webServer);

const server = http.createServer(front);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
