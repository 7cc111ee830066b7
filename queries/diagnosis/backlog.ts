/** What aio-leak and resend-starved share: contexts that stay busy after a reconnect and come back one a resend tick. */
import type { BridgeStory, Session } from './story.ts';

/** The first drop after the reconnect comes this soon, or the drops are load. */
const SOON_S = 3;
/** At least one tick. */
const MIN_SECONDS = 4;
const MIN_RESENDS = 2;

/** Connections that began with busy contexts, which then came back with resends. */
export function backlogged(story: BridgeStory): Session[] {
  const own = story.sessions.filter((session) => session.client_session_no !== null);
  return own.filter((session, index) => {
    if (session.client_connected === null || session.first_drop === null || session.last_drop === null) return false;
    const before = own[index - 1];
    // A log at warn level does not show the start of the first connection, but its end and its losses.
    if (before === undefined ? !lostUnseen(story, session) : !lostWithUnacked(before)) return false;
    return (
      session.first_drop - session.client_connected <= SOON_S * 1e6 &&
      session.last_drop - session.client_connected >= MIN_SECONDS * 1e6 &&
      ((session.resends ?? 0) >= MIN_RESENDS || session.start_known_by === 'dialled') &&
      (session.cached_lost ?? 0) === 0
    );
  });
}

/** A connection that died without a word left messages unacknowledged. */
function lostWithUnacked(session: Session): boolean {
  return (
    ['connection_timeout', 'transport_error', 'ping_timeout'].includes(session.client_reason ?? '') &&
    (session.aio_busy ?? 0) > 0
  );
}

function lostUnseen(story: BridgeStory, session: Session): boolean {
  return (
    session.start_known_by === 'dialled' &&
    story.tally.of('bridge_disconnected').first < (session.client_connected ?? 0) &&
    story.tally.of('aio_busy', 'down').first < story.tally.of('bridge_disconnected').first
  );
}
