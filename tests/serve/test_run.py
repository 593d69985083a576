"""The socket that the service listens on."""

import socket

import pytest

from unmist.errors import UsageError
from unmist.serve.run import _listen


def test_an_answer_does_not_wait_for_its_header_to_be_acknowledged() -> None:
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken() -> None:
    with _listen("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        with pytest.raises(UsageError, match=f"cannot listen on {host}:{port}"):
            _listen(host, port)
