"""A network between an endpoint and a service that fails at a chosen moment of a request.

It passes TLS on and sees its records only, so the moment is one after the handshake.
"""

import socket
import threading

APPLICATION_DATA = 23

# Octets of a record of the service that is an answer: what a service says of its own accord (session
# tickets) is smaller.
ANSWER = 600


class Wire:
    """Connections to a service on this machine, through `base_url`. Each is cut

    * `"request"`: when half of the first record of a request went through,
    * `"taken"`: when the service has that record and nothing of its answer came back,
    * `"answer"`: when half of the first long answer came back,
    * `"held"`: never, but nothing comes back once there was a request.

    `reached` is set once that has happened. `mend` lets everything pass from then on.
    """

    def __init__(self, service, moment):
        self._port = int(service.rsplit(":", 1)[1])
        self._moment = moment
        self._socket = socket.create_server(("127.0.0.1", 0))
        host = service.rsplit(":", 1)[0]
        self.base_url = "%s:%d" % (host, self._socket.getsockname()[1])
        self.reached = threading.Event()
        self._open, self._threads = [], []

    def __enter__(self):
        self._begin(self._serve)
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        # The first of them begins the others.
        self._threads[0].join(60)
        for end in self._open:
            _hang_up(end)
        for thread in self._threads:
            thread.join(60)
        for end in self._open:
            end.close()

    def mend(self):
        self._moment = None

    def _begin(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self):
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            self._open += [near, far]
            asked, sent = threading.Event(), threading.Event()
            for carry in (self._up, self._down):
                self._begin(carry, near, far, asked, sent)

    def _up(self, near, far, asked, sent):
        """From the endpoint to the service. The first record that is encrypted ends the handshake."""
        encrypted = 0
        for record in _records(near):
            encrypted += record[0] == APPLICATION_DATA
            if encrypted == 2 and self._moment == "request":
                _send(far, record[: len(record) // 2])
                return self._cut(near, far)
            if encrypted == 2:
                asked.set()
            _send(far, record)
            if encrypted == 2:
                sent.set()
        _hang_up(far)
        sent.set()

    def _down(self, near, far, asked, sent):
        for record in _records(far):
            if asked.is_set():
                if self._moment == "held":
                    self.reached.set()
                    continue
                if self._moment == "taken":
                    sent.wait(60)
                    return self._cut(near, far)
                if len(record) >= ANSWER and self._moment == "answer":
                    _send(near, record[: len(record) // 2])
                    return self._cut(near, far)
            _send(near, record)
        if self._moment != "held":
            _hang_up(near)

    def _cut(self, near, far):
        _hang_up(near)
        _hang_up(far)
        self.reached.set()


def _records(connection):
    """The records of TLS that arrive, whole, until the end."""
    held = b""
    while True:
        try:
            octets = connection.recv(65536)
        except OSError:
            return
        if not octets:
            return
        held += octets
        while len(held) >= 5 and len(held) >= 5 + int.from_bytes(held[3:5], "big"):
            length = 5 + int.from_bytes(held[3:5], "big")
            yield held[:length]
            held = held[length:]


def _send(connection, octets):
    try:
        connection.sendall(octets)
    except OSError:
        pass


def _hang_up(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
