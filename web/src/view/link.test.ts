import { describe, expect, it, vi } from 'vitest';
import { takeCode } from './link';

describe('the link of a grant', () => {
  it('leaves nothing of its code in the address', () => {
    const replaceState = vi.fn();
    const place = { hash: '#secret-code', pathname: '/view' } as Location;
    expect(takeCode(place, { replaceState } as unknown as History)).toBe('secret-code');
    expect(replaceState).toHaveBeenCalledWith(null, '', '/view');
  });

  it('is none without a code', () => {
    const replaceState = vi.fn();
    expect(takeCode({ hash: '', pathname: '/view' } as Location, { replaceState } as unknown as History)).toBe('');
    expect(replaceState).not.toHaveBeenCalled();
  });
});
