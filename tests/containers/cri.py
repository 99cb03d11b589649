"""A client of the Kubernetes container runtime interface (CRI), as a kubelet is one: gRPC over a
Unix socket, with what HTTP/2 (RFC 9113) and protocol buffers need for it and no more."""
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CONTAINER, NODE = 1, 2  # NamespaceMode: each container's, the machine's own.


def varint(number):
    encoded = b""
    while number > 0x7f:
        encoded += bytes([number & 0x7f | 0x80])
        number >>= 7
    return encoded + bytes([number])


def message(*fields):
    """Of pairs of a field's number and its value: text, bytes (a message), or a number."""
    encoded = b""
    for number, value in fields:
        if isinstance(value, int):
            encoded += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            encoded += varint(number << 3 | 2) + varint(len(value)) + value
    return encoded


def first_text(encoded):
    """Of a message whose first field is a short text."""
    assert encoded[:1] == b"\x0a", encoded
    return encoded[2:2 + encoded[1]].decode()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def header(name, value):
    """A literal one that is not to be remembered (RFC 7541 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call(address, method, request):
    """The response, as bytes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(address)
        headers = b"".join(header(*one) for one in (
            (":method", "POST"), (":scheme", "http"), (":authority", "localhost"),
            (":path", "/runtime.v1.RuntimeService/" + method), ("te", "trailers"),
            ("content-type", "application/grpc")))
        body = b"\0" + struct.pack(">I", len(request)) + request
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b"") +
                           frame(HEADERS, END_HEADERS, 1, headers) +
                           frame(DATA, END_STREAM, 1, body))
        stream = connection.makefile("rb")
        told, trailers = b"", b""
        while True:
            head = stream.read(9)
            if len(head) < 9:
                break
            payload = stream.read(int.from_bytes(head[:3], "big"))
            kind, flags = head[3], head[4]
            if kind == DATA:
                told += payload
            elif kind == HEADERS:
                trailers = payload
            elif kind in (SETTINGS, PING) and not flags & ACK:
                connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            if kind in (GOAWAY, RST_STREAM) or (kind in (DATA, HEADERS) and flags & END_STREAM):
                break
        if len(told) < 5:
            raise AssertionError(f"{method} was refused: {trailers!r}")
        return told[5:]


# No network of its own, for which there would have to be plugins; processes as a kubelet has them.
NAMESPACES = message((1, NODE), (2, CONTAINER))


def sandbox_config(namespace, pod, cgroup):
    metadata = message((1, pod), (2, pod + "-uid"), (3, namespace))
    linux = message((1, cgroup), (2, message((1, NAMESPACES))))
    return message((1, metadata), (8, linux))


def run_pod(address, config):
    """Its id."""
    return first_text(call(address, "RunPodSandbox", message((1, config))))


def run_container(address, sandbox, config, name, image, command, mounts=()):
    """Its id. Mounts are pairs of a path inside and the machine's."""
    container = message((1, message((1, name))), (2, message((1, image), (18, image))),
                        *((3, word) for word in command),
                        *((7, message((1, inside), (2, outside))) for inside, outside in mounts),
                        (15, message((2, message((3, NAMESPACES))))))
    identity = first_text(call(address, "CreateContainer",
                               message((1, sandbox), (2, container), (3, config))))
    call(address, "StartContainer", message((1, identity)))
    return identity


def remove_pod(address, sandbox):
    call(address, "StopPodSandbox", message((1, sandbox)))
    call(address, "RemovePodSandbox", message((1, sandbox)))
