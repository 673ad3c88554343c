// Written by tools/make_contract.py from Python's types: change those, and run it again.

export type * from './administration';
export type * from './bodies';
export type * from './center';
export type * from './entrance';
export type * from './record';
export type * from './requests';
export type * from './room';
export type * from './session';
export type * from './setup';
export * from './constants';
