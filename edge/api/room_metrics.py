"""All that a courtroom can say to monitoring, each with its help: what an administrator would be woken for, and why.

A label names a track, a service, a kind of alarm or of certificate, never a hearing, a case or a person.
"""

from __future__ import annotations

from sync.http.monitoring.catalog import MetricCatalog
from sync.http.monitoring.readiness import READY, READY_PART

CATALOG = MetricCatalog(READY, READY_PART)
ROOM = CATALOG.info("wutong_room", "The courtroom that speaks, as court/room, and its version.", "room", "version")
SERVICE_UP = CATALOG.gauge(
    "wutong_room_service_up", "Whether a service of the room was heard in the last seconds (1) or not (0).", "service"
)
IN_HEARING = CATALOG.gauge("wutong_room_in_hearing", "Whether a hearing is open or paused (1) or none is (0).")
ALARMS = CATALOG.gauge("wutong_room_alarms", "Alarms that are on now, by code.", "code")
CERTIFICATE = CATALOG.gauge(
    "wutong_room_certificate_left_seconds",
    "How long a certificate still lasts: device, tls, authority (of the court), or panel (of the room's own making).",
    "certificate",
)
CLOCK_ERROR = CATALOG.gauge("wutong_room_clock_error_seconds", "By how much UTC may be off at most, as chrony says.")
CLOCK_SYNCED = CATALOG.gauge(
    "wutong_room_clock_synchronized", "Whether the clock follows a source (1) or runs free (0)."
)
CLOCK_AHEAD = CATALOG.gauge("wutong_room_clock_ahead_seconds", "How far the room's clock was ahead of the center's.")
LOOP_DELAY = CATALOG.gauge(
    "wutong_room_loop_delay_seconds", "The longest that the edge's event loop came late in a minute."
)

FRAGMENTS = CATALOG.counter("wutong_recorder_fragments", "Fragments of a track that are on the disk.", "track")
LAST_FRAGMENT = CATALOG.gauge(
    "wutong_recorder_last_fragment_age_seconds", "How long ago the last fragment of a track ended.", "track"
)
RUNNING = CATALOG.gauge("wutong_recorder_track_running", "Whether media of a track comes (1) or not (0).", "track")
KEPT = CATALOG.gauge(
    "wutong_recorder_track_kept", "Whether a track is being kept for a hearing (1) or not (0).", "track"
)
RESTARTS = CATALOG.counter(
    "wutong_recorder_restarts", "How often the worker of a track's device was started again.", "track"
)
GAPS = CATALOG.counter("wutong_recorder_gaps", "Gaps of a track that were declared.", "track")
GAP_TIME = CATALOG.counter("wutong_recorder_gap_seconds", "Media of a track that is missing, in seconds.", "track")
WRITER_QUEUE = CATALOG.gauge("wutong_recorder_writer_queue", "Fragments of a track that wait for the disk.", "track")
DROPPED = CATALOG.counter(
    "wutong_recorder_dropped", "Fragments that were to be kept and that the disk did not take.", "track"
)
EVENTS_WAITING = CATALOG.gauge("wutong_recorder_events_waiting", "Facts that the room's log has not taken yet.")
WRITE_WAIT = CATALOG.gauge(
    "wutong_recorder_write_wait_seconds", "The longest that the disk let a fragment wait in the last minute."
)
DISK_FREE = CATALOG.gauge("wutong_recorder_disk_free_bytes", "Free space on the volume of the record.")
DISK_LEFT = CATALOG.gauge("wutong_recorder_disk_left_seconds", "How long the room can still record above the reserve.")
COPY_PENDING = CATALOG.gauge("wutong_recorder_copy_pending_bytes", "What has no second copy yet.")

TRANSCRIBER_STATE = CATALOG.gauge(
    "wutong_transcriber_state",
    "The state of speech recognition: 1 for the one that it is in (loading, ready, catching-up, failed, off).",
    "state",
)
TRANSCRIBER_LAG = CATALOG.gauge("wutong_transcriber_lag_seconds", "How far the words are behind what is said.")
TRANSCRIBER_QUEUE = CATALOG.gauge("wutong_transcriber_queue", "Turns that are over and not written yet.")
TRANSCRIBER_HEARINGS = CATALOG.gauge("wutong_transcriber_hearings", "Hearings of which words may still come.")

UPLINK_BROKER = CATALOG.gauge(
    "wutong_uplink_broker_connected", "Whether the room is connected to the broker (1) or not (0)."
)
UPLINK_CENTER = CATALOG.gauge(
    "wutong_uplink_center_reachable", "Whether the center answered when it was asked last (1)."
)
UPLINK_TRUST = CATALOG.gauge(
    "wutong_uplink_trust",
    "Whether room and center believe each other: 1 for what holds (ok, not-enrolled, twice, refused, clock, plain).",
    "state",
)
OUTBOX = CATALOG.gauge("wutong_uplink_outbox_events", "Events that the center has not receipted.")
OLDEST = CATALOG.gauge(
    "wutong_uplink_oldest_event_age_seconds", "How long ago the oldest event was said that waits for a receipt."
)
RECEIPTED = CATALOG.counter("wutong_uplink_receipted_events", "Events that the center has receipted.")
REFUSED = CATALOG.gauge("wutong_uplink_refused_events", "Events that the center does not take; they stay in the room.")
UPLOAD_BYTES = CATALOG.gauge(
    "wutong_uplink_upload_backlog_bytes", "Bytes of whole files that the center has not receipted."
)
UPLOAD_FILES = CATALOG.gauge("wutong_uplink_upload_backlog_files", "Whole files that the center has not receipted.")
UPLOAD_REFUSED = CATALOG.gauge("wutong_uplink_upload_refused", "Whether the last file that was tried was refused (1).")
BACKLOG = CATALOG.gauge("wutong_uplink_broker_backlog_bytes", "What waits on its way to the broker.")
LAST_RECEIPT = CATALOG.gauge("wutong_uplink_last_receipt_age_seconds", "How long ago the center receipted something.")

SIGNED = CATALOG.counter("wutong_signer_signatures", "What the signer has signed.")
SIGN_REFUSED = CATALOG.counter("wutong_signer_refused", "What the signer was asked and did not sign.")
