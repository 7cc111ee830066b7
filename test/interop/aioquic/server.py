"""An MQTT server over QUIC that acknowledges and tells what it got. Arguments: certificate, key. Prints its port first."""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived
from mqtt import Reader, packet, published

ANSWERS = {
    0x1: lambda first, body: packet(0x20, bytes([0, 0, 0])),
    0x8: lambda first, body: packet(0x90, body[:2] + b"\0" + bytes([0])),
    0x6: lambda first, body: packet(0x70, body[:2]),
    0xC: lambda first, body: packet(0xD0),
}


class Mqtt(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.readers = {}

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            print("closed", event.error_code, flush=True)
        if not isinstance(event, StreamDataReceived):
            return
        reader = self.readers.setdefault(event.stream_id, Reader())
        for first, body in reader.push(event.data):
            answer = self.answer(first, body, event.stream_id)
            if answer:
                self._quic.send_stream_data(event.stream_id, answer)
        self.transmit()

    def answer(self, first, body, stream):
        if first >> 4 != 3:
            print("packet", first >> 4, "stream", stream, flush=True)
            return ANSWERS.get(first >> 4, lambda *_: None)(first, body)
        topic, qos, packet_id, payload = published(first, body)
        print("publish", topic, qos, len(payload), "stream", stream, flush=True)
        return packet(0x40 if qos == 1 else 0x50, packet_id.to_bytes(2, "big")) if qos else None


async def main():
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["mqtt"])
    configuration.load_cert_chain(sys.argv[1], sys.argv[2])
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Mqtt)
    print("port", server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Future()


asyncio.run(main())
