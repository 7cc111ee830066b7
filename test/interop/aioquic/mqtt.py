"""As much of MQTT 5 as the tests with aioquic need."""


def varint(value):
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(first, body=b""):
    return bytes([first]) + varint(len(body)) + body


class Reader:
    """Bytes of one stream in, whole packets out: (first byte, body)."""

    def __init__(self):
        self.buffer = b""

    def push(self, data):
        self.buffer += data
        while True:
            length, shift, at = 0, 0, 1
            while True:
                if at >= len(self.buffer):
                    return
                digit = self.buffer[at]
                length |= (digit & 0x7F) << shift
                shift, at = shift + 7, at + 1
                if digit < 0x80:
                    break
            if len(self.buffer) < at + length:
                return
            first, body = self.buffer[0], self.buffer[at : at + length]
            self.buffer = self.buffer[at + length :]
            yield first, body


def published(first, body):
    """(topic, QoS, packet id or None, payload) of a PUBLISH with short properties."""
    qos = first >> 1 & 3
    end = 2 + int.from_bytes(body[:2], "big")
    topic, rest = body[2:end].decode(), body[end:]
    packet_id = int.from_bytes(rest[:2], "big") if qos else None
    rest = rest[2 if qos else 0 :]
    return topic, qos, packet_id, rest[1 + rest[0] :]
