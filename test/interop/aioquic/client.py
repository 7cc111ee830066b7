"""A client of an MQTT broker over QUIC. Arguments: port, CA file. Prints what it got, a line each, and ends."""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
from mqtt import Reader, packet, published, text

LARGE = b"x" * 300_000


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.readers = {}
        self.got = asyncio.Queue()

    def quic_event_received(self, event):
        if not isinstance(event, StreamDataReceived):
            return
        reader = self.readers.setdefault(event.stream_id, Reader())
        for first, body in reader.push(event.data):
            self.got.put_nowait((event.stream_id, first, body))

    def send(self, stream, data):
        self._quic.send_stream_data(stream, data)
        self.transmit()

    async def expect(self, kind):
        while True:
            stream, first, body = await asyncio.wait_for(self.got.get(), 10)
            if first >> 4 == kind:
                return stream, first, body


async def main():
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["mqtt"], server_name="localhost")
    configuration.load_verify_locations(sys.argv[2])
    async with connect("127.0.0.1", int(sys.argv[1]), configuration=configuration, create_protocol=Client) as client:
        control, data = client._quic.get_next_available_stream_id(), 4
        client.send(control, packet(0x10, text("MQTT") + bytes([5, 2, 0, 60, 0]) + text("aioquic")))
        _, _, body = await client.expect(2)
        print("connack", body[1])
        client.send(control, packet(0x82, bytes([0, 1, 0]) + text("a/#") + bytes([1])))
        _, _, body = await client.expect(9)
        print("suback", body[-1])
        # One byte at a time.
        for byte in packet(0x32, text("a/small") + bytes([0, 2, 0]) + b"hello"):
            client.send(control, bytes([byte]))
            await asyncio.sleep(0.001)
        _, first, body = await client.expect(3)
        topic, qos, packet_id, payload = published(first, body)
        print("publish", topic, qos, payload.decode())
        client.send(control, packet(0x40, packet_id.to_bytes(2, "big")))
        client.send(data, packet(0x32, text("a/large") + bytes([0, 3, 0]) + LARGE))
        _, first, body = await client.expect(3)
        topic, qos, packet_id, payload = published(first, body)
        print("publish", topic, qos, len(payload), payload == LARGE)
        client.send(control, packet(0xC0))
        await client.expect(13)
        print("pingresp")
        client.send(control, packet(0xE0))


asyncio.run(main())
