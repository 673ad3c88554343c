import { describe, expect, it } from 'vitest';
import type { CenterChanges, CenterRooms, RoomNews, WallRoom } from '../lib/types';
import { ToldRooms } from './toldRooms';

function room(address: string, more: Partial<WallRoom> = {}): WallRoom {
  return {
    address, online: true, court_name: '', room_name: '', hearing: null, recorder: null, speaking: [], seats: [],
    alarms: [], seen_utc_ms: 1, center_alarms: [], ...more,
  };
}

const whole = (...rooms: WallRoom[]): CenterRooms => ({ type: 'rooms', rooms, utc_ms: 1, number: 0 });
const changes = (number: number, ...rooms: RoomNews[]): CenterChanges => ({ type: 'changes', number, rooms });

function told() {
  const rooms = new Map<string, WallRoom>();
  const log: string[] = [];
  const made = new ToldRooms(rooms, {
    onRoom: (one) => log.push(one.address),
    onMissed: () => log.push('missed'),
  });
  return { rooms, log, told: made };
}

describe('what the center tells of its rooms', () => {
  it('takes what is new and leaves the rest as it was', () => {
    const { rooms, log, told: one } = told();
    one.whole(whole(room('a/1', { room_name: '一' }), room('a/2')));
    one.changes(changes(1, { address: 'a/1', online: false, speaking: ['judge'] }));
    one.changes(changes(2, { address: 'a/1', hearing: null }, { address: 'a/2', room_name: '二' }));
    expect(rooms.get('a/1')).toEqual(room('a/1', { room_name: '一', online: false, speaking: ['judge'] }));
    expect(rooms.get('a/2')?.room_name).toBe('二');
    expect(log).toEqual(['a/1', 'a/2', 'a/1', 'a/1', 'a/2']);
  });

  it('asks for the whole when something was missed, and takes nothing more until it comes', () => {
    const { rooms, log, told: one } = told();
    one.whole(whole(room('a/1'), room('a/2')));
    one.changes(changes(2, { address: 'a/1', online: false }));
    one.changes(changes(3, { address: 'a/1', online: false }));
    expect(rooms.get('a/1')?.online).toBe(true);
    expect(log.filter((said) => said === 'missed')).toHaveLength(1);
    expect(one.isWhole).toBe(false);
    one.whole(whole(room('a/2', { online: false })));
    expect([...rooms.keys()], 'a room that is not told of any more is not shown').toEqual(['a/2']);
    one.changes(changes(1, { address: 'a/2', online: true }));
    expect(rooms.get('a/2')?.online).toBe(true);
  });

  it.each([
    ['twice', changes(1, { address: 'a/1' })],
    ['of before', changes(0, { address: 'a/1' })],
    ['of a room that nobody knows', changes(2, { address: 'b/1' })],
  ])('notices a message that comes %s', (_, message) => {
    const { log, told: one } = told();
    one.whole(whole(room('a/1')));
    one.changes(changes(1, { address: 'a/1', online: false }));
    one.changes(message);
    expect(log.at(-1)).toBe('missed');
  });

  it('begins with the whole', () => {
    const { rooms, log, told: one } = told();
    one.changes(changes(1, { address: 'a/1' }));
    expect([rooms.size, log.length]).toEqual([0, 0]);
  });
});
