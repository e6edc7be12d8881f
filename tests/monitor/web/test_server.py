import os
import signal
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from monitor.web.server import PortTaken, Server
from tests.monitor.web.rig import NOW, Rig

ROW = {"id": "a", "time": NOW, "prediction": 1}


def test_a_taken_port_is_one_sentence(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PortTaken, match=f"listen: {listen} is taken by another process"):
            Server(listen, rig.app)


@pytest.mark.parametrize("listen", ["192.0.2.1:0", "no.such.host.invalid:0"])
def test_an_address_of_another_machine(rig: Rig, listen: str) -> None:
    with pytest.raises(PortTaken, match="can't be listened on"):
        Server(listen, rig.app)


def test_it_serves_over_a_socket_and_stops_when_told(rig: Rig) -> None:
    server = Server("127.0.0.1:0", rig.app)
    thread = threading.Thread(target=server.run)
    thread.start()
    host, port = server.address
    try:
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as client:
            assert client.post("/v1/models/delays/predictions", json=[ROW]).status_code == 202
            # Refused before it is read; the connection survives or is closed, the next request is served.
            too_large = client.post(
                "/v1/models/delays/predictions", content=b" " * (17 << 20), headers={"Content-Type": "application/json"}
            )
            assert too_large.status_code == 413
            assert client.post("/v1/models/delays/predictions", json=[ROW]).status_code == 202
    finally:
        server.stop()
        thread.join(30)
    assert not thread.is_alive()


def test_a_sender_of_too_much_sees_why_and_not_a_reset(rig: Rig) -> None:
    server = Server("127.0.0.1:0", rig.app)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        for _ in range(3):
            connection = HTTPConnection(*server.address)
            connection.request(
                "POST",
                "/v1/models/delays/predictions",
                body=b" " * (30 << 20),
                headers={"Content-Type": "application/json", "Connection": "close"},
            )
            assert connection.getresponse().status == 413
            connection.close()
    finally:
        server.stop()
        thread.join(30)


SERVE = """
import sys
from pathlib import Path
from monitor.web.server import Server
from tests.monitor.web.rig import rig
made = rig(Path(sys.argv[1]))
server = Server("127.0.0.1:0", made.app)
print(server.address[1], flush=True)
server.run()
made.close()
print("closed", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_serving_and_lets_the_rest_be_closed(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=30).status_code == 200
        os.kill(process.pid, number)
        assert process.stdout.readline() == "closed\n"
        assert process.wait(30) == 0


def test_the_application_imports_nothing_heavy(tmp_path: Path) -> None:
    """Above all not pydantic.v1, 9 MB that Litestar's default plugins bring in and nothing uses."""
    code = (
        "import sys; from monitor.settings.root import Config; import monitor.web.app as app, monitor.web.server;"
        "from litestar import get; made = app._Lean([], openapi_config=app.openapi.config([]), logging_config=None);"
        "print(*sorted({name.split('.')[0] for name in sys.modules} | ({'pydantic.v1'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert "litestar" in loaded
    heavy = {"numpy", "pandas", "pyarrow", "scipy", "sklearn", "evidently", "pydantic.v1", "rich", "faker", "alembic"}
    assert not loaded & heavy
