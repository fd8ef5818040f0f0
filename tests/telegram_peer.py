"""A Bot API server of our own, after Telegram's documentation: its limits, rights and refusals."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TOKEN = "7000:AAtheSecretOfTheBot"
BOT = {"id": 7000, "is_bot": True, "first_name": "SMS", "username": "OurSmsBot"}
EVA = {"id": 42, "is_bot": False, "first_name": "Eva"}


class Answer(Exception):
    """A method's refusal."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.body = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


def too_many(seconds: int) -> Answer:
    return Answer(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


class BotApi:
    """One bot's world: what was called, what is told, and how each method answers."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []
        self.script: dict[str, deque[Answer | dict[str, Any]]] = defaultdict(deque)
        self.updates: list[dict[str, Any]] = []
        self.hook: dict[str, Any] = {"url": "", "has_custom_certificate": False}
        self.hook["pending_update_count"] = 0
        self.me: dict[str, Any] = {**BOT, "can_join_groups": True}
        self.chats: dict[int, dict[str, Any]] = {}
        self.members: dict[int, dict[str, Any]] = {}
        self.started: set[int] = {42}
        self.topics: set[int] = set()
        self.closed: set[int] = set()
        self.may_manage_topics = True
        self.moved: dict[int, int] = {}
        self.posts: dict[tuple[int, int], dict[str, Any]] = {}
        self.kept: set[tuple[int, int]] = set()  # posts that are too old to be deleted
        self.files: dict[str, bytes] = {}
        self._number = 500
        self._news = asyncio.Event()

    # -- for tests ---------------------------------------------------------------------------

    def of(self, *methods: str) -> list[dict[str, Any]]:
        """The parameters of all calls of these methods."""
        return [params for method, params in self.calls if method in methods]

    def tell(self, **update: Any) -> int:
        """Something happens that the bot is to hear of; the update's number."""
        self._number += 1
        self.updates.append({"update_id": self._number, **update})
        self._news.set()
        return self._number

    def say(self, text: str, place: int = 42, **more: Any) -> int:
        """Eva writes; her message's number."""
        self._number += 1
        message = {"message_id": self._number, "date": 1_760_000_000, "text": text, "from": EVA}
        self.tell(message={**message, "chat": self.chat(place), **more})
        return self._number

    def chat(self, place: int) -> dict[str, Any]:
        if place > 0:
            return {"id": place, "type": "private", "first_name": "Eva"}
        return {"id": place, "type": "supergroup", "title": "Support"}

    def forum(self, place: int, **facts: Any) -> None:
        """A group with topics."""
        self.chats[place] = {**self.chat(place), "is_forum": True, **facts}

    # -- the server --------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return web.json_response(Answer(401, "Unauthorized").body, status=401)
        method, params = request.match_info["method"], dict(await request.post())
        self.calls.append((method, params))
        self.times.append(asyncio.get_running_loop().time())
        try:
            if self.script[method]:
                reply = self.script[method].popleft()
                if isinstance(reply, Answer):
                    raise reply
                return web.json_response(reply)
            result = await getattr(self, f"on_{method}")(params)
        except Answer as no:
            return web.json_response(no.body, status=no.code)
        return web.json_response({"ok": True, "result": result})

    async def file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["path"])
        if request.match_info["token"] != TOKEN or data is None:
            return web.Response(status=404)
        return web.Response(body=data)

    def _place(self, params: dict[str, Any]) -> int:
        place = int(params["chat_id"])
        if place in self.moved:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Answer(400, text, migrate_to_chat_id=self.moved[place])
        if place > 0 and place not in self.started:
            raise Answer(403, "Forbidden: bot can't initiate conversation with a user")
        return place

    def _topic(self, params: dict[str, Any]) -> int | None:
        if "message_thread_id" not in params:
            return None
        topic = int(params["message_thread_id"])
        if topic not in self.topics:
            raise Answer(400, "Bad Request: message thread not found")
        return topic

    async def on_getUpdates(self, params: dict[str, Any]) -> Any:  # noqa: N802
        offset = int(params.get("offset", 0))
        self.updates = [u for u in self.updates if u["update_id"] >= offset]
        if not self.updates:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), float(params["timeout"]))
            except TimeoutError:
                return []
        return self.updates[:100]

    async def on_getMe(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        return self.me

    async def on_setMyCommands(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        return True

    async def on_setWebhook(self, params: dict[str, Any]) -> Any:  # noqa: N802
        self.hook["url"] = params["url"]
        return True

    async def on_deleteWebhook(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        self.hook["url"] = ""
        return True

    async def on_getWebhookInfo(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        return self.hook

    async def on_getChat(self, params: dict[str, Any]) -> Any:  # noqa: N802
        place = self._place(params)
        return self.chats.get(place, self.chat(place))

    async def on_getChatMember(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return self.members[self._place(params)]

    async def on_sendMessage(self, params: dict[str, Any]) -> Any:  # noqa: N802
        place, topic = self._place(params), self._topic(params)
        if topic in self.closed:
            raise Answer(400, "Bad Request: TOPIC_CLOSED")
        self._number += 1
        self.posts[place, self._number] = params
        message = {"message_id": self._number, "date": 1_760_000_000, "chat": self.chat(place)}
        return {**message, "from": BOT, "text": params["text"]}

    async def on_editMessageText(self, params: dict[str, Any]) -> Any:  # noqa: N802
        key = (self._place(params), int(params["message_id"]))
        if key not in self.posts:
            raise Answer(400, "Bad Request: message to edit not found")
        shown = self.posts[key]
        if (shown["text"], shown.get("reply_markup")) == (
            params["text"],
            params.get("reply_markup"),
        ):
            raise Answer(400, "Bad Request: message is not modified: specified new message …")
        self.posts[key] = params
        return True

    async def on_deleteMessage(self, params: dict[str, Any]) -> Any:  # noqa: N802
        key = (self._place(params), int(params["message_id"]))
        if key not in self.posts:
            raise Answer(400, "Bad Request: message to delete not found")
        if key in self.kept:
            raise Answer(400, "Bad Request: message can't be deleted for everyone")
        del self.posts[key]
        return True

    async def on_deleteForumTopic(self, params: dict[str, Any]) -> Any:  # noqa: N802
        topic = self._topic(params)
        if not self.may_manage_topics:
            raise Answer(400, "Bad Request: not enough rights to delete the topic")
        self.topics.discard(topic or 0)
        return True

    async def on_editMessageReplyMarkup(self, params: dict[str, Any]) -> Any:  # noqa: N802
        key = (self._place(params), int(params["message_id"]))
        if key not in self.posts:
            raise Answer(400, "Bad Request: message to edit not found")
        return True

    async def on_answerCallbackQuery(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        return True

    async def on_sendChatAction(self, params: dict[str, Any]) -> Any:  # noqa: N802
        return bool(self._place(params))

    async def on_leaveChat(self, _params: dict[str, Any]) -> Any:  # noqa: N802
        return True

    async def on_createForumTopic(self, params: dict[str, Any]) -> Any:  # noqa: N802
        self._place(params)
        if not self.may_manage_topics:
            raise Answer(400, "Bad Request: not enough rights to create a topic")
        self._number += 1
        self.topics.add(self._number)
        return {"message_thread_id": self._number, "name": params["name"], "icon_color": 1}

    async def on_reopenForumTopic(self, params: dict[str, Any]) -> Any:  # noqa: N802
        topic = self._topic(params)
        if not self.may_manage_topics:
            raise Answer(400, "Bad Request: not enough rights to reopen the topic")
        self.closed.discard(topic or 0)
        return True

    async def on_getFile(self, params: dict[str, Any]) -> Any:  # noqa: N802
        name = params["file_id"]
        if name not in self.files:
            raise Answer(400, "Bad Request: invalid file_id")
        size = len(self.files[name])
        return {"file_id": name, "file_unique_id": "u", "file_size": size, "file_path": name}


@asynccontextmanager
async def a_bot_api() -> AsyncIterator[BotApi]:
    """A running one on a free port."""
    api = BotApi()
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/bot{token}/{method}", api.answer)
    app.router.add_get("/file/bot{token}/{path:.+}", api.file)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        await runner.cleanup()


def keyboard(params: dict[str, Any]) -> list[str]:
    """The data of the buttons that a call put below a message."""
    if "reply_markup" not in params:
        return []
    rows = json.loads(params["reply_markup"])["inline_keyboard"]
    return [key.get("callback_data", key.get("url", "")) for row in rows for key in row]
