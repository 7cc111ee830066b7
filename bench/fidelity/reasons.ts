/** What a real incident shows that the model does not, and why; part of docs/FIDELITY.md. */
export interface Reason {
  readonly what: string;
  readonly why: string;
}

export const REASONS: readonly Reason[] = [
  {
    what: '`ctx_cache_flush`, `bridge_subscribe_retry`, and the lines of a cancelled sub stream in a flood',
    why: 'loops that run as fast as the CPU lets them; compared as present or absent.',
  },
  {
    what: '`quic_stream_ideal_buffer`',
    why: 'msquic writes it when the bytes in flight reach a new maximum, which depends on how writes and acknowledgements interleave within a millisecond. Drawn with the measured shares.',
  },
  {
    what: '`quic_stream_not_accepted`',
    why: 'a race between the handshake and the first streams, in 17 of 250 connections, up to three of five in an incident on a loaded machine. Drawn with the measured share.',
  },
  {
    what: '`quic_stream_op_cancelled`, `quic_fin_received`, `bridge_disconnect_packet_rx` and what follows them',
    why: 'at the end of a connection the DISCONNECT, the FIN and the close race with each other through threads of the product. Drawn with the measured shares.',
  },
  {
    what: 'losses of 19 and 19b',
    why: 'a spinning process shared the CPU (measured §5): an acknowledgement took 62 ms in half of the cases, but more than 72 ms in a fifth and up to 0.5 s, which keeps an aio busy when its next message comes. The simulator has the link’s delay only.',
  },
  {
    what: '`quic_main_stream_aborted` and `bridge_substream_recv_rearmed` at an end that is noticed otherwise too',
    why: 'which of the streams’ receives sees the end first is a race that 4 of some 250 ends show. Without consequence, so not drawn.',
  },
  {
    what: '08b: `quic_peer_receive_aborted`, `quic_stream_send_failed`, `quic_tran_send_error`',
    why: 'from 5.8.5 on EMQX aborts its read side when it kicks or refuses a client; what is sent into that ends in the library. The machine’s SUBSCRIBE fails there too, with one line for all attempts.',
  },
  {
    what: 'losses of 20',
    why: 'after 17 s without an acknowledgement msquic has filled its initial congestion window of 12 kB, half of it with probes of full size, and sends no more; those eight messages die with the connection instead of reaching the socket of the frozen broker. The probes of the simulator are the messages again, so its window lasts for the 20 s.',
  },
  {
    what: '17: `quic_stream_ideal_buffer` of streams that carry nothing',
    why: 'what msquic finds out about them while the link is down and when it is back.',
  },
];
