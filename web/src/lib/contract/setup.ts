// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** Everything that the page shows. */
export interface Setup {
  purpose: 'new' | 'camera' | 'seats' | 'anew';
  room: SetupRoomNow | null;
  offer: ShownOffer | null;
  alone: boolean;
  searching: boolean;
  searched: boolean;
  troubles: string[];
  cameras: SetupCamera[];
  microphones: SetupMicrophones[];
  listening: SetupListening | null;
  steps: SetupStep[];
  state: 'choosing' | 'working' | 'done' | 'failed';
  /** What starts the services where nothing does it by itself. */
  command: string;
}

/** The room of a machine that has a profile. */
export interface SetupRoomNow {
  court_name: string;
  room_name: string;
  address: string;
  cameras: ShownCameraNow[];
  seats: ShownSeatChoice[];
  microphones: string;
  /**
   * What the center has not receipted, which a move waits for; -1: nobody knows, as where the uplink does not run.
   */
  waiting_events: number;
  /** Of files, likewise. */
  waiting_bytes: number;
  hearing_open: boolean;
}

/** A camera of a room that is there already. */
export interface ShownCameraNow {
  id: string;
  name: string;
  place: string;
}

/** A seat of a room that is there already. */
export interface ShownSeatChoice {
  role: string;
  channel: number;
}

/** Which room the code is for, as the center says it. */
export interface ShownOffer {
  court: string;
  room: string;
  court_name: string;
  room_name: string;
}

/** A camera that could be one of the room's. */
export interface SetupCamera {
  id: string;
  driver: 'rtsp' | 'v4l2' | 'simulated';
  name: string;
  /** Where it is: an address without user and password, or a plug. */
  place: string;
  /** Grows with each picture; 0: none was taken yet. */
  picture: number;
  codec: string;
  width: number;
  height: number;
  /** What kept it from giving one; "" for nothing. */
  trouble: string;
  /** `password` where it wants one. */
  code: string;
}

/** An input device. */
export interface SetupMicrophones {
  name: string;
  driver: 'pyaudio' | 'simulated';
  channels: number;
  direct: boolean;
}

/** What the microphones say now. */
export interface SetupListening {
  name: string;
  /** Of each channel; empty before the first. */
  db: number[];
  trouble: string;
  /** Who is to speak now; "" for nobody. */
  role: string;
  /** The channel that was the loudest since then. */
  proposed: number | null;
}

/** One of the steps that follow when everything is said. */
export interface SetupStep {
  id: 'profile' | 'services' | 'enroll' | 'devices' | 'center' | 'doctor';
  state: 'waiting' | 'running' | 'done' | 'failed' | 'note';
  /** What was found, or what is wrong and what to do. */
  text: string;
}

/** What is wrong with one field of what was said. */
export interface ChoiceFault {
  field: string;
  text: string;
}
