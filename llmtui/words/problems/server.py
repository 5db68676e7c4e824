"""Sentences for problems with a server: address, connection, responses, unsupported operations, downloads."""

from __future__ import annotations

from typing import Final

from llmtui.core.codes import ServerProblem
from llmtui.words import marked
from llmtui.words.problems.said import Said

_OTHER_ADDRESS = marked("Check the address, or use another address.")
_OTHER_PORT = marked("Check the port, or use another address.")
_START = marked("{start}, or use another address.")
_LOG = marked("See the server's log.")
_STOPPED = marked("See the server's log: it may have been stopped, or it crashed.")
_WRITE_ADDRESS = marked("Use a form like 127.0.0.1:11434 or https://host/path.")
_OTHER_SERVERS = marked("Ollama and the built-in server can load and unload models.")
_PROXY = marked("Start the proxy, change {variable}, or set NO_PROXY={host} if that server needs no proxy.")
_OTHER_PROXY = marked("Set {variable} to an http:// proxy, or set NO_PROXY={host} if that server needs none.")
_SIGN_IN = marked("Sign in with `ollama signin`, or pick a model that runs here.")
_KEY = marked("Set LLMTUI_API_KEY, or give a file that has the key: --api-key-file FILE.")
_PULL_AGAIN = marked("Pull again: the download continues where it stopped.")

SERVER_PROBLEMS: Final[dict[ServerProblem, Said]] = {
    "bad_address": Said(marked("“{address}” is not an address."), _WRITE_ADDRESS),
    "bad_port": Said(marked("“{address}” is not an address: a port is a number from 1 to 65535."), _WRITE_ADDRESS),
    "bad_scheme": Said(marked("“{address}” is not an http:// or https:// address."), _WRITE_ADDRESS),
    "no_host": Said(marked("“{address}” is not an address: it names no host."), _WRITE_ADDRESS),
    "refused": Said(marked("Nothing listens at {where}."), _START),
    "no_connection": Said(
        marked("{where} does not answer: no connection within {seconds:g} s."),
        marked("Check that the machine is on, or use another address."),
    ),
    "silent": Said(
        marked("{where} accepts requests but does not answer in time."),
        marked("The server may be slow or busy: try again, see its log, or use another address."),
    ),
    "unknown_host": Said(
        marked("The host name in {where} is unknown."), marked("Check the spelling, or use another address.")
    ),
    "unreachable": Said(marked("{where} cannot be reached."), marked("Check the network, or use another address.")),
    "tls": Said(
        marked("No secure connection to {where}."), marked("Check whether the address begins with http:// or https://.")
    ),
    "certificate_untrusted": Said(
        marked("The certificate of {where} is not trusted."),
        marked("If it is your own server's, set SSL_CERT_FILE to its certificate."),
    ),
    "certificates_unusable": Said(
        marked("{variable}={path} holds no certificates that can be used."),
        marked("Correct {variable} or unset it."),
    ),
    "system_certificates_unusable": Said(
        marked("The system's certificates cannot be used."), marked("Set SSL_CERT_FILE to a certificate file.")
    ),
    "https_wanted": Said(marked("{where} requires an encrypted connection."), marked("Use https://{bare}.")),
    "http_wanted": Said(marked("{where} does not speak TLS."), marked("Use http://{bare}.")),
    "cut": Said(marked("The connection to {where} was cut."), _STOPPED),
    "cut_line": Said(marked("The answer from {where} ended in the middle of a line."), _STOPPED),
    "cut_chunk": Said(marked("The server's answer ended in the middle of a line."), _STOPPED),
    "not_http": Said(marked("The program listening at {where} does not speak HTTP."), _OTHER_PORT),
    "http": Said(marked("The request to {where} failed."), _OTHER_ADDRESS),
    "redirect": Said(marked("{where} redirects to {to}."), marked("Use that address.")),
    "redirect_unnamed": Said(marked("{where} redirects without saying where to."), _OTHER_ADDRESS),
    "redirected": Said(marked("The server redirects to {to}."), marked("Use that address.")),
    "proxy_absent": Said(marked("The proxy {proxy} from {variable} does not answer."), _PROXY),
    "proxy_refused": Said(marked("The proxy {proxy} from {variable} refuses the connection."), _PROXY),
    "proxy_unusable": Said(marked("The proxy {proxy} from {variable} cannot be used."), _OTHER_PROXY),
    "proxy_kind": Said(
        marked("The proxy {proxy} from {variable} cannot be used: {scheme}:// is an unknown kind of proxy."),
        _OTHER_PROXY,
    ),
    "proxy_needs_socksio": Said(
        marked("The proxy {proxy} from {variable} cannot be used: {scheme}:// needs the package socksio."),
        _OTHER_PROXY,
    ),
    "proxy": Said(
        marked("A proxy answers at {where}, but the server behind it does not (status {status})."),
        marked("Start the server behind it, or use another address."),
    ),
    "not_ollama": Said(marked("The server at {where} is not Ollama."), _OTHER_PORT),
    "not_openai": Said(
        marked("The server at {where} is not OpenAI-compatible."), marked("Check the address and the port.")
    ),
    "no_such_path": Said(
        marked("The server at {where} does not know {path}."), marked("Check the address and the port.")
    ),
    "no_model_server": Said(
        marked("The server at {where} speaks neither Ollama's nor OpenAI's protocol."),
        marked("Check the port, or use another address. OpenAI-compatible addresses often end in /v1."),
    ),
    "web_page": Said(
        marked("{where} is a web page (status {status}), not a model server."),
        marked("Use the address of its API, which often ends in /v1, or another port."),
    ),
    "bad_answer": Said(
        marked("{where} sent a response that Ollama would not send."),
        marked("The answer may come from a proxy. Use the server's own address."),
    ),
    "bad_chunk": Said(
        marked("The server sent a line that cannot be read."),
        marked("Check that this is the address of an OpenAI-compatible server."),
    ),
    "odd_end": Said(
        marked("The server ended the answer with “{word}”, which is not the end of a complete answer."), _LOG
    ),
    "no_body": Said(marked("The server accepted the request but sent an empty response."), _LOG),
    "server_out_of_memory": Said(
        marked("The server ran out of memory."),
        marked("Close other programs there, pick a smaller model, or start the server with a smaller context."),
    ),
    "bad_status": Said(marked("{where} answers with status {status}."), _OTHER_ADDRESS),
    "failed_silently": Said(marked("{where} failed without giving a reason."), _LOG),
    "server_error": Said(
        marked("The server reports an error."),
        marked("See the server's log. A model process that ends by itself has often run out of memory."),
    ),
    "error_status": Said(
        marked("The server reports an error (status {status})."),
        marked("See the server's log. A model process that ends by itself has often run out of memory."),
    ),
    "failed_midway": Said(marked("The server failed in the middle of the answer."), _LOG),
    "failed_http": Said(marked("The server failed with HTTP {status}."), _LOG),
    "sign_in": Said(marked("{where} requires a sign-in."), _SIGN_IN),
    "sign_in_model": Said(marked("{where} requires a sign-in for {name}."), _SIGN_IN),
    "needs_key": Said(marked("{where} requires an API key."), _KEY),
    "needs_login": Said(
        marked("{where} requires a user name and a password."),
        marked("Set LLMTUI_USER and LLMTUI_PASSWORD."),
    ),
    "key_refused": Said(
        marked("{where} rejects the key from {source}."),
        marked("Check that it is this server's, and that it is still valid."),
    ),
    "key_wanted": Said(marked("The server requires an API key."), _KEY),
    "field_replaced": Said(marked("The server rejects “{field}” for {name}; llmtui sends “{instead}” instead.")),
    "field_taken_back": Said(marked("The server rejects “{field}” for {name}; llmtui sends requests without it.")),
    "field_taken_back_cost": Said(
        marked("The server rejects “{field}” for {name}; llmtui sends requests without it: {cost}.")
    ),
    "forbidden": Said(marked("{where} refused the request."), marked("Pick a model that runs here.")),
    "forbidden_host": Said(
        marked("{where} refuses requests under this host name."),
        marked("Use its loopback address, or start it with OLLAMA_HOST=0.0.0.0."),
    ),
    "busy": Said(
        marked("{where} is busy: too many requests are waiting."),
        marked("Stop the other programs that use it, or try again later."),
    ),
    "rate_limited": Said(marked("The server is busy."), marked("Wait a moment and try again.")),
    "loading": Said(marked("The server is not ready."), marked("Wait until it has loaded.")),
    "no_cold_start": Said(
        marked("This server does not report which models are in memory, so cold starts are not measured."),
        marked("Ollama, llama.cpp's own server and the built-in server report it."),
    ),
    "cannot_unload": Said(marked("llmtui cannot make this server unload {name}."), _OTHER_SERVERS),
    "cannot_load": Said(marked("llmtui cannot make this server load {name}."), _OTHER_SERVERS),
    "cannot_pull": Said(marked("llmtui cannot make this server download {name}."), marked("Ollama can.")),
    "builtin_pulls_not": Said(
        marked("The built-in server does not download models ({name})."),
        marked("Download a .gguf file yourself and give its path, or use Ollama."),
    ),
    "not_in_library": Said(
        marked("There is no model “{name}” in the Ollama library."),
        marked("Check the spelling: the names are at ollama.com/library."),
    ),
    "server_too_old": Said(marked("{name} needs a newer Ollama."), marked("Update Ollama on the server.")),
    "disk_full": Said(
        marked("The disk of {where} is full."),
        marked(
            "Free disk space (`ollama rm` deletes a model) and pull again: the download continues where it stopped."
        ),
    ),
    "registry_unreachable": Said(
        marked("{where} cannot reach the model registry."),
        marked("Check its network and pull again: the download continues where it stopped."),
    ),
    "pull_failed": Said(marked("{name} could not be pulled."), marked("Pull again.")),
    "pull_cut": Said(marked("{where} ended the download of {name} before it was complete."), _PULL_AGAIN),
    "pull_cancelled": Said(
        marked("The download of {name} was stopped; the part already downloaded is kept."), _PULL_AGAIN
    ),
}
