from __future__ import annotations

import os
import socket

from monitor.collectors.process.listening_sockets import holders, sockets
from tests.fakes.process_tree import ProcessTree
from tests.needs import absent


def test_who_listens_on_a_port() -> None:
    with ProcessTree(children=1) as server:
        found = sockets(server.port)
        assert set(found.values()) == {os.getuid()}
        pids = [os.getpid(), server.pid, *server.children]
        assert holders(found, pids) == [server.pid, *server.children]
        with socket.create_connection(("127.0.0.1", server.port)):
            assert sockets(server.port) == found  # a connection is no listener
        server.kill()


def test_ipv6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        absent("no IPv6 here")
    with listener:
        found = sockets(listener.getsockname()[1])
        assert holders(found, [os.getpid()]) == [os.getpid()]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert sockets(port) == {}
    assert holders([], [os.getpid()]) == []
