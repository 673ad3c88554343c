"""All that a courtroom can say to monitoring, each with its help: what an administrator would be woken for, and why.

A label names a track, a service, a kind of alarm or of certificate, never a hearing, a case or a person.
"""

from __future__ import annotations

from sync.http.monitoring.definitions import MetricDefinition, counter, gauge, info
from sync.http.monitoring.readiness import READY, READY_PART

ROOM = info("wutong_room", "The courtroom that speaks, as court/room, and its version.", "room", "version")
SERVICE_UP = gauge(
    "wutong_room_service_up", "Whether a service of the room was heard in the last seconds (1) or not (0).", "service"
)
IN_HEARING = gauge("wutong_room_in_hearing", "Whether a hearing is open or paused (1) or none is (0).")
ALARMS = gauge("wutong_room_alarms", "Alarms that are on now, by code.", "code")
CERTIFICATE = gauge(
    "wutong_room_certificate_left_seconds",
    "How long a certificate still lasts: device, tls, authority (of the court), or panel (of the room's own making).",
    "certificate",
)
CLOCK_ERROR = gauge("wutong_room_clock_error_seconds", "By how much UTC may be off at most, as chrony says.")
CLOCK_SYNCED = gauge("wutong_room_clock_synchronized", "Whether the clock follows a source (1) or runs free (0).")
CLOCK_AHEAD = gauge("wutong_room_clock_ahead_seconds", "How far the room's clock was ahead of the center's.")
LOOP_DELAY = gauge("wutong_room_loop_delay_seconds", "The longest that the edge's event loop came late in a minute.")

FRAGMENTS = counter("wutong_recorder_fragments", "Fragments of a track that are on the disk.", "track")
LAST_FRAGMENT = gauge(
    "wutong_recorder_last_fragment_age_seconds", "How long ago the last fragment of a track ended.", "track"
)
RUNNING = gauge("wutong_recorder_track_running", "Whether media of a track comes (1) or not (0).", "track")
KEPT = gauge("wutong_recorder_track_kept", "Whether a track is being kept for a hearing (1) or not (0).", "track")
RESTARTS = counter("wutong_recorder_restarts", "How often the worker of a track's device was started again.", "track")
GAPS = counter("wutong_recorder_gaps", "Gaps of a track that were declared.", "track")
GAP_TIME = counter("wutong_recorder_gap_seconds", "Media of a track that is missing, in seconds.", "track")
WRITER_QUEUE = gauge("wutong_recorder_writer_queue", "Fragments of a track that wait for the disk.", "track")
DROPPED = counter("wutong_recorder_dropped", "Fragments that were to be kept and that the disk did not take.", "track")
EVENTS_WAITING = gauge("wutong_recorder_events_waiting", "Facts that the room's log has not taken yet.")
WRITE_WAIT = gauge(
    "wutong_recorder_write_wait_seconds", "The longest that the disk let a fragment wait in the last minute."
)
DISK_FREE = gauge("wutong_recorder_disk_free_bytes", "Free space on the volume of the record.")
DISK_LEFT = gauge("wutong_recorder_disk_left_seconds", "How long the room can still record above the reserve.")
COPY_PENDING = gauge("wutong_recorder_copy_pending_bytes", "What has no second copy yet.")

TRANSCRIBER_STATE = gauge(
    "wutong_transcriber_state",
    "The state of speech recognition: 1 for the one that it is in (loading, ready, catching-up, failed, off).",
    "state",
)
TRANSCRIBER_LAG = gauge("wutong_transcriber_lag_seconds", "How far the words are behind what is said.")
TRANSCRIBER_QUEUE = gauge("wutong_transcriber_queue", "Turns that are over and not written yet.")
TRANSCRIBER_HEARINGS = gauge("wutong_transcriber_hearings", "Hearings of which words may still come.")

UPLINK_BROKER = gauge("wutong_uplink_broker_connected", "Whether the room is connected to the broker (1) or not (0).")
UPLINK_CENTER = gauge("wutong_uplink_center_reachable", "Whether the center answered when it was asked last (1).")
UPLINK_TRUST = gauge(
    "wutong_uplink_trust",
    "Whether room and center believe each other: 1 for what holds (ok, not-enrolled, twice, refused, clock, plain).",
    "state",
)
OUTBOX = gauge("wutong_uplink_outbox_events", "Events that the center has not receipted.")
OLDEST = gauge(
    "wutong_uplink_oldest_event_age_seconds", "How long ago the oldest event was said that waits for a receipt."
)
RECEIPTED = counter("wutong_uplink_receipted_events", "Events that the center has receipted.")
REFUSED = gauge("wutong_uplink_refused_events", "Events that the center does not take; they stay in the room.")
UPLOAD_BYTES = gauge("wutong_uplink_upload_backlog_bytes", "Bytes of whole files that the center has not receipted.")
UPLOAD_FILES = gauge("wutong_uplink_upload_backlog_files", "Whole files that the center has not receipted.")
UPLOAD_REFUSED = gauge("wutong_uplink_upload_refused", "Whether the last file that was tried was refused (1).")
BACKLOG = gauge("wutong_uplink_broker_backlog_bytes", "What waits on its way to the broker.")
LAST_RECEIPT = gauge("wutong_uplink_last_receipt_age_seconds", "How long ago the center receipted something.")

SIGNED = counter("wutong_signer_signatures", "What the signer has signed.")
SIGN_REFUSED = counter("wutong_signer_refused", "What the signer was asked and did not sign.")

CATALOG: tuple[MetricDefinition, ...] = (
    ROOM,
    SERVICE_UP,
    IN_HEARING,
    ALARMS,
    CERTIFICATE,
    CLOCK_ERROR,
    CLOCK_SYNCED,
    CLOCK_AHEAD,
    LOOP_DELAY,
    FRAGMENTS,
    LAST_FRAGMENT,
    RUNNING,
    KEPT,
    RESTARTS,
    GAPS,
    GAP_TIME,
    WRITER_QUEUE,
    DROPPED,
    EVENTS_WAITING,
    WRITE_WAIT,
    DISK_FREE,
    DISK_LEFT,
    COPY_PENDING,
    TRANSCRIBER_STATE,
    TRANSCRIBER_LAG,
    TRANSCRIBER_QUEUE,
    TRANSCRIBER_HEARINGS,
    UPLINK_BROKER,
    UPLINK_CENTER,
    UPLINK_TRUST,
    OUTBOX,
    OLDEST,
    RECEIPTED,
    REFUSED,
    UPLOAD_BYTES,
    UPLOAD_FILES,
    UPLOAD_REFUSED,
    BACKLOG,
    LAST_RECEIPT,
    SIGNED,
    SIGN_REFUSED,
    READY,
    READY_PART,
)
