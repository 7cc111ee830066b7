/** What of the page no measurement says. */

/** Why a scenario is not met. */
export const REASONS: Readonly<Record<string, string>> = {};

export const TEXT = `## How a live run differs from the products

- **A busy machine.** A millisecond of real time is five of the incident. With nine processes waiting for two cores \`nat-rebind\` missed
  once: its first connect came 145 ms late in real time. It was run again for this page; nothing else was.
- **Send completion.** msquic completes a send when it has copied it, as long as no more than 128 KiB of the stream wait for an
  acknowledgement, else when it falls below. A live run does the same: \`sent\` comes in a later turn once the library has the bytes
  and less than 131,072 bytes of the stream are unacknowledged. quiche does not say which bytes were acknowledged, so every answer
  counts for what left at least half a round trip ago: exact while nothing arrives, up to one round trip too early else. msquic's
  ideal send buffer grows with the bandwidth-delay product, ours stays: on a path of more than 128 KiB a round trip (10 Mbit/s at
  100 ms) msquic completes sooner.
- **Draws.** Both runs have the same seed, but the bridge draws as it sends, and a message more or less shifts all that come later. The
  waits before redials are therefore drawn once and given to both.
- **First try of a dial.** It is repeated after three times \`quic_initial_rtt_ms\`, then after twice as long each time, as msquic does it;
  quiche's own first timeout cannot be set. Each repetition is a handshake of its own.
- **Redials.** msquic shuts a connection down for a while and refuses a dial meanwhile (\`dial-busy\`). quiche's own closing state lasts
  three probe timeouts whatever the peer does; the driver counts the time of msquic instead: a round trip where the peer still
  answers, three probe timeouts where it does not, two round trips and at least 15 ms after a close by the peer.
- **Transport bytes.** EMQX releases whose keepalive counts the bytes of the socket are told, before each check, what came in
  datagrams and was no stream data. Both ends being quiche, its number of acknowledgements and their size is not msquic's.
- **Frozen broker.** A paused process keeps 3,000 datagrams a connection; a kernel keeps 212,992 bytes a socket.
- **TCP.** The kernel's own timers run in real time whatever the speed; retransmissions of lost segments are modelled by the proxy.
- **Congestion control** is quiche's CUBIC, on the round trip of real time: at five times the speed a path of 100 ms has one of 20.
`;
