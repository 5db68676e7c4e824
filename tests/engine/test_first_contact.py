"""First contact: what answers at an address is found out by asking, and said where it is no model server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from llmtui.backends.base import BackendFailed
from llmtui.config.access import Accesses
from llmtui.config.interfaces import protocol_of
from llmtui.core.commands import SetServer
from llmtui.core.records import Problem
from llmtui.engine.first_contact import Contact, find_servers, first_contact
from llmtui.engine.servers import Servers
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.openai_served import DONE, PLAIN, answers, said
from tests.backends.scripted_server import Reply, ScriptedServer, scripted_server, whole

MODELS = whole({"object": "list", "data": [PLAIN]})
NOT_FOUND = whole({"detail": "Not Found"}, 404)
PAGE = whole("<!doctype html><title>Open WebUI</title>", 200, "text/html")
NO_KEY = whole({"error": {"message": "Invalid API key"}}, 401, extra="WWW-Authenticate: Bearer\r\n")


@asynccontextmanager
async def asked(
    routes: Mapping[str, Reply], path: str = "", **env: str
) -> AsyncIterator[tuple[ScriptedServer, Contact | Problem]]:
    """Run a server with routes, none of which is Ollama's by default; yield the result of first contact."""
    async with scripted_server({"/api/version": NOT_FOUND, **routes}) as server:
        servers = Servers(accesses=Accesses(env))
        address = f"http://{server.address}{path}"
        chosen = SetServer(address=address, kind=protocol_of(address), address_source="user")
        servers.name(chosen)
        try:
            yield server, await first_contact(servers, chosen)
        except BackendFailed as failed:
            yield server, failed.problem
        finally:
            await servers.close_all_but()


class TestItIsFound:
    @pytest.mark.parametrize(
        ("typed", "served"),
        [
            ("", "/v1"),
            ("/", "/v1"),
            ("/v1", "/v1"),
            ("/V1", "/v1"),
            ("/v1/", "/v1"),
            ("/v1/models", "/v1"),
            ("/v1/chat/completions", "/v1"),
            ("/v3", "/v3"),
            ("/v3", "/v1"),
            ("", "/v3"),
            ("", "/openai/v1"),
            ("/openai/v1", "/openai/v1"),
            ("/openai", "/openai/v1"),
            ("/api", "/api/v1"),
            ("/api", "/v1"),
            ("/v1", "/openai/v1"),
            ("", "/api/v0"),
            ("/api/v0", "/api/v0"),
            ("/api/v0/models", "/api/v0"),
        ],
    )
    async def test_openais_protocol_at_the_usual_paths(self, typed: str, served: str) -> None:
        async with asked({f"{served}/models": MODELS}, typed) as (server, found):
            assert isinstance(found, Contact)
            assert (found.info.kind, found.info.address) == ("openai", f"http://{server.address}{served}")
            assert [one.model.name for one in await found.backend.models()] == ["some-model"]

    @pytest.mark.parametrize("typed", ["", "/v1"])
    async def test_an_interface_without_a_version(self, typed: str) -> None:
        chat = answers(said(content="x"), said(finish="stop"), DONE)
        async with asked({"/models": MODELS, "/chat/completions": chat}, typed) as (server, found):
            assert isinstance(found, Contact)
            assert found.info.address == f"http://{server.address}/"
            again = Servers(accesses=Accesses({})).backend("openai", found.info.address)
            assert [one.model.name for one in await again.models()] == ["some-model"]
            await again.aclose()

    @pytest.mark.parametrize("typed", ["", "/api", "/api/tags", "/v1", "/v1/chat/completions"])
    async def test_ollamas_protocol(self, typed: str) -> None:
        async with asked({"/api/version": whole({"version": "0.34.4"})}, typed) as (_, found):
            assert isinstance(found, Contact)
            assert (found.info.kind, found.info.version) == ("ollama", "0.34.4")

    @pytest.mark.parametrize("status", [404, 405, 501])
    async def test_ollamas_protocol_without_a_version(self, status: int) -> None:
        tags = whole({"models": [{"name": "small:1b", "digest": ""}]})
        async with asked({"/api/version": whole({"error": "x"}, status), "/api/tags": tags}) as (_, found):
            assert isinstance(found, Contact)
            assert (found.info.kind, found.info.version, found.info.product) == ("ollama", None, None)

    @pytest.mark.parametrize("typed", ["", "/v1"])
    async def test_openais_protocol_where_the_list_is_llama_cpps_for_both(self, typed: str) -> None:
        both = whole({"models": [{"name": "some-model"}], "object": "list", "data": [PLAIN]})
        async with asked({"/api/tags": both, "/v1/models": both}, typed) as (_, found):
            assert isinstance(found, Contact)
            assert found.info.kind == "openai"

    async def test_a_server_that_answers_200_to_everything_is_seen_through(self) -> None:
        nothing = whole({"error": "Unexpected endpoint or method. (GET /api/version)"})
        async with asked({"/api/version": nothing, "/v1/models": MODELS}) as (_, found):
            assert isinstance(found, Contact)
            assert found.info.kind == "openai"

    @pytest.mark.parametrize("reply", [NOT_FOUND, whole({"error": "x"}, 405), whole({"error": "no cache"}, 500)])
    async def test_a_server_without_a_list_of_models_is_one_if_it_answers_chats(self, reply: Reply) -> None:
        refused = whole({"error": "messages is required"}, 400)
        routes = {"/v1/models": reply, "/v1/chat/completions": refused}
        async with asked(routes, "/v1") as (_, found):
            assert isinstance(found, Contact)
            assert await found.backend.models() == ()
            assert await found.backend.resident() is None


class TestItIsSaidWhatAnswers:
    @pytest.mark.parametrize(
        ("reply", "code", "words"),
        [
            (PAGE, "web_page", "Open WebUI"),
            (whole("<html>Not here</html>", 404, "text/html"), "web_page", "web page"),
            (NO_KEY, "needs_key", "API key"),
            (whole("no", 401, extra='WWW-Authenticate: Basic realm="x"\r\n'), "needs_login", "user name"),
            (whole("<html>400 The plain HTTP request was sent to HTTPS port</html>", 400), "https_wanted", "encrypted"),
            (whole("Client sent an HTTP request to an HTTPS server.", 400), "https_wanted", "encrypted"),
            (whole("<h1>502 Bad Gateway</h1><html>", 502, "text/html"), "proxy", "proxy"),
            (whole({"status": "ok"}), "no_model_server", "neither"),
            (NOT_FOUND, "no_model_server", "neither"),
        ],
    )
    @pytest.mark.parametrize("typed", ["", "/v1"])
    async def test_in_both_protocols_alike(self, typed: str, reply: Reply, code: str, words: str) -> None:
        routes = dict.fromkeys(("/api/version", "/v1/models", "/models", "/v3/models"), reply)
        async with asked(routes, typed) as (_, problem):
            assert isinstance(problem, Problem)
            assert problem.code == code
            assert words in problem_what(problem)
            assert problem_remedy(problem)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("typed", ["", "/v1"])
    async def test_a_redirect_names_the_address_to_use(self, typed: str, status: int) -> None:
        def moved(path: str) -> Reply:
            return whole("", status, extra=f"Location: https://ann:pw@models.example/new{path}\r\n")

        routes = {path: moved(path) for path in ("/api/version", "/v1/models")}
        async with asked(routes, typed) as (_, problem):
            assert isinstance(problem, Problem)
            assert problem.code == "redirect"
            assert problem_what(problem).endswith(f"redirects to https://models.example/new{typed}.")

    async def test_a_key_that_is_refused_is_called_refused(self) -> None:
        async with asked({"/v1/models": NO_KEY}, "/v1", LLMTUI_API_KEY="sk-1") as (server, problem):
            assert isinstance(problem, Problem)
            assert problem.code == "key_refused"
            assert "LLMTUI_API_KEY" in problem_what(problem)
            assert server.asked("/v1/models")[0].headers["authorization"] == "Bearer sk-1"

    async def test_a_key_where_a_login_is_wanted_is_not_called_wrong(self) -> None:
        login = whole("no", 401, extra='WWW-Authenticate: Basic realm="x"\r\n')
        async with asked({"/v1/models": login}, "/v1", LLMTUI_API_KEY="sk-1") as (_, problem):
            assert isinstance(problem, Problem)
            assert problem.code == "needs_login"

    async def test_who_wants_a_key_where_it_was_named_is_not_passed_over_for_another_interface(self) -> None:
        routes = {"/api/version": whole({"version": "0.34.4"}), "/v1/models": NO_KEY}
        async with asked(routes, "/v1") as (server, problem):
            assert isinstance(problem, Problem)
            assert problem.code == "needs_key"
            assert server.asked("/api/version") == []

    async def test_a_closed_port_is_not_asked_again(self) -> None:
        async with scripted_server() as server:
            address = server.address
        with pytest.raises(BackendFailed) as failed:
            await first_contact(Servers(accesses=Accesses({})), SetServer(address=f"http://{address}"))
        assert failed.value.problem.code == "refused"


class TestServersOfThisMachine:
    async def test_those_on_the_ports_are_found_and_shown_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LLMTUI_API_KEY", "sk-1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-2")
        async with (
            scripted_server({"/api/version": NOT_FOUND, "/v1/models": MODELS}) as openai,
            scripted_server() as ollama,
            scripted_server({"/api/version": PAGE, "/v1/models": PAGE}) as page,
        ):
            found = await find_servers(ports=(ollama.port, page.port, openai.port, 1))
        assert [(one.kind, one.address) for one in found] == [
            ("ollama", f"http://{ollama.address}"),
            ("openai", f"http://{openai.address}/v1"),
        ]
        every = [request for server in (openai, ollama, page) for request in server.received]
        assert all("authorization" not in request.headers for request in every)
