"""All that a center can say to monitoring, each with its help: what an administrator would be woken for, and why.

A label names a room, a code or a part of the center, never a hearing, a case or a person.
"""

from __future__ import annotations

from sync.http.monitoring.catalog import MetricCatalog
from sync.http.monitoring.readiness import READY, READY_PART

CATALOG = MetricCatalog(READY, READY_PART)
CENTER = CATALOG.info(
    "wutong_center",
    "The center that speaks, by its version and by what this process is: alone, owner (of some rooms) or gateway.",
    "version",
    "role",
)

ROOMS = CATALOG.gauge(
    "wutong_center_rooms",
    "Courtrooms in the center's configuration; of several processes those that are this one's own.",
)
ONLINE = CATALOG.gauge("wutong_center_room_online", "Whether a courtroom says its status (1) or is away (0).", "room")
IN_HEARING = CATALOG.gauge("wutong_center_rooms_in_hearing", "Courtrooms of which a hearing is open or paused.")
CLOCK = CATALOG.gauge(
    "wutong_center_room_clock_ahead_seconds",
    "How far a courtroom's clock was ahead of the center's when its last status came, the way included.",
    "room",
)
ROOM_CERTIFICATE = CATALOG.gauge(
    "wutong_center_room_certificate_left_seconds",
    "How long a courtroom's certificate still lasts: tls (renewed by itself) or device (enrolled again by hand).",
    "room",
    "certificate",
)
ALARMS = CATALOG.gauge("wutong_center_alarms", "Alarms that are on now, by courtroom and code.", "room", "code")

EVENTS = CATALOG.counter("wutong_center_events", "Events of courtrooms that were stored.")
EVENTS_AGAIN = CATALOG.counter("wutong_center_events_again", "Events that came once more and were receipted once more.")
REFUSED = CATALOG.counter(
    "wutong_center_refused",
    "What was not taken into the record, by the reason: whole batches (not-enrolled, signature, unsigned, form) "
    "and single events (malformed, conflict, foreign).",
    "code",
)
UNSTORED = CATALOG.counter(
    "wutong_center_events_not_stored", "Events that the database did not take; rooms send them again."
)
RECEIPT = CATALOG.histogram(
    "wutong_center_receipt_seconds", "From the arrival of a message of events until it was answered by the center."
)
MESSAGES_REFUSED = CATALOG.counter(
    "wutong_center_messages_refused", "Messages of courtrooms that were not what they must be."
)
MESSAGES_FAILED = CATALOG.counter("wutong_center_messages_failed", "Messages that a defect of the center has cost.")
INBOX = CATALOG.gauge("wutong_center_inbox_messages", "Messages that came and are not handled yet, by inbox.", "inbox")
INBOX_DROPPED = CATALOG.counter(
    "wutong_center_inbox_dropped", "Messages that had no place in an inbox any more.", "inbox"
)

BROKER = CATALOG.gauge(
    "wutong_center_broker_connected", "Whether the center is connected to its broker (1) or not (0)."
)
BROKER_BACKLOG = CATALOG.gauge("wutong_center_broker_backlog_bytes", "What waits on its way to the broker.")

WITNESS_QUEUE = CATALOG.gauge("wutong_center_witness_queue", "Checkpoints that wait to be judged.")
WITNESSED = CATALOG.counter(
    "wutong_center_witnessed", "Checkpoints that were answered with the center's countersignature."
)
WITNESS_REFUSED = CATALOG.counter(
    "wutong_center_witness_refused", "Checkpoints that were refused, by the reason.", "code"
)

UPLOADS = CATALOG.gauge(
    "wutong_center_uploads", "Uploads that are no stored files yet; of several processes those of its own courtrooms."
)
UPLOAD_BYTES = CATALOG.gauge("wutong_center_upload_bytes", "Bytes of these uploads.")

DATABASE_WRITE = CATALOG.histogram(
    "wutong_center_database_write_seconds", "How long a transaction took, from its begin until it was on the disk."
)
DATABASE_QUEUE = CATALOG.gauge("wutong_center_database_queue", "Transactions that are being written or wait for it.")
DATABASE_FAILED = CATALOG.counter(
    "wutong_center_database_failed", "What the database refused, by what was asked.", "act"
)

DISK_FREE = CATALOG.gauge("wutong_center_disk_free_bytes", "Free space on the volume of the record store.")
DISK_SIZE = CATALOG.gauge("wutong_center_disk_size_bytes", "Size of the volume of the record store.")

CLIENTS = CATALOG.gauge("wutong_center_live_clients", "Browser tabs that are connected for live pictures.")
WATCHED = CATALOG.gauge("wutong_center_tracks_watched", "Tracks of courtrooms that somebody watches live.")
FRAGMENTS = CATALOG.counter("wutong_center_fragments", "Live fragments of courtrooms that were taken for who watches.")

AUDIT_WAITING = CATALOG.gauge(
    "wutong_center_audit_rows_waiting", "Lines of the audit log that are not in the database yet."
)
CERTIFICATE = CATALOG.gauge(
    "wutong_center_certificate_left_seconds",
    "How long a certificate of the center still lasts: authority, server, broker, or own (of the court).",
    "certificate",
)
LOOP_DELAY = CATALOG.gauge(
    "wutong_center_loop_delay_seconds", "The longest that the event loop came late in the last minute."
)

# Of one of several processes alone (docs/center.md, "Several processes").
LEASES = CATALOG.gauge(
    "wutong_center_leases", "Shards of courtrooms that this process owns now; those of all processes together are 256."
)
ROOMS_OWNED = CATALOG.gauge(
    "wutong_center_rooms_owned",
    "Courtrooms that are this process's own: ready, or preparing while what an earlier owner has left is read.",
    "state",
)
TAKE_OVERS = CATALOG.counter("wutong_center_take_overs", "How often courtrooms became this process's own.")
TAKE_OVERS_FAILED = CATALOG.counter(
    "wutong_center_take_overs_failed", "How often what an earlier owner has left could not be read; it is tried again."
)
ROUNDS_FAILED = CATALOG.counter(
    "wutong_center_lease_rounds_failed", "Rounds in which the leases were not renewed: the database did not answer."
)
ROUND_AGE = CATALOG.gauge(
    "wutong_center_lease_round_age_seconds",
    "How long ago the leases were renewed last; beyond 4.5 s this process owns nothing.",
)
FORWARDING = CATALOG.gauge("wutong_center_forwarding", "Requests of courtrooms on their way to their owner now.")
FORWARDED = CATALOG.counter(
    "wutong_center_forwarded", "Requests of courtrooms that were handed on to their owner and answered by it."
)
FORWARD_FAILED = CATALOG.counter(
    "wutong_center_forward_failed",
    "Requests of courtrooms that were refused (503) on the way to their owner: there was none (no-owner), no place was "
    "left (full), it did not answer (unreachable), or this process is it no more (again).",
    "code",
)
OF_SEVERAL = frozenset(
    {LEASES, ROOMS_OWNED, TAKE_OVERS, TAKE_OVERS_FAILED, ROUNDS_FAILED, ROUND_AGE}
    | {FORWARDING, FORWARDED, FORWARD_FAILED}
)
"""What the only process of a center says nothing of."""
