import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError } from '../lib/api';
import { hearingFetcher, RecordFetcher } from './fetch';
import { soloTrack, withSolo } from './soloTrack';

const { signal } = new AbortController();
const HEADERS = { 'X-Wutong-From-Ms': '1000', 'X-Wutong-To-Ms': '2000', 'X-Wutong-Mime': 'audio/mp4' };

afterEach(() => void vi.restoreAllMocks());

describe('media of a record', () => {
  it('is asked for below the address of the record, by ranges', async () => {
    const raw = vi.spyOn(api, 'raw').mockResolvedValue(new Response('abc', { headers: HEADERS }));
    const piece = await new RecordFetcher('/api/view').media('cam 1', 1000, 2000.5, signal);
    expect(raw).toHaveBeenCalledWith('/api/view/media/cam%201?from_ms=1000.000&to_ms=2000.500', signal);
    expect(piece).toMatchObject({ from_ms: 1000, to_ms: 2000, mime: 'audio/mp4' });
  });

  it('of one seat is taken out of the track of the microphones', async () => {
    const raw = vi.spyOn(api, 'raw').mockResolvedValue(new Response('abc', { headers: HEADERS }));
    await hearingFetcher('h/1').media(soloTrack('judge'), 0, 1, signal);
    expect(raw).toHaveBeenCalledWith('/api/hearings/h%2F1/media/mics?from_ms=0.000&to_ms=1.000&seat=judge', signal);
    const mics = { id: 'mics', kind: 'audio' as const, name: '', mime: 'audio/mp4', ranges: [], unreadable: [] };
    expect(withSolo([mics], 'judge').map((track) => track.id)).toEqual(['mics', 'mics@judge']);
    expect(withSolo([mics], '')).toEqual([mics]);
  });

  it('says where it begins again when there is none', async () => {
    const raw = vi.spyOn(api, 'raw').mockRejectedValue(new ApiError('no-media', '', 404, { next_ms: 7000 }));
    expect(await hearingFetcher('h').media('mix', 0, 1, signal)).toEqual({ bytes: null, next_ms: 7000 });
    raw.mockRejectedValue(new ApiError('unreadable', '无法播放（damaged）', 404, { next_ms: null }));
    const broken = { bytes: null, next_ms: null, unreadable: '无法播放（damaged）' };
    expect(await hearingFetcher('h').media('mix', 0, 1, signal)).toEqual(broken);
    raw.mockRejectedValue(new ApiError('offline', '', 0));
    await expect(hearingFetcher('h').media('mix', 0, 1, signal)).rejects.toThrow(ApiError);
  });
});
