/** What the build uses although the least browsers have not all of it, and why that does no harm there. */

/** @type {Record<string, string>} */
export const ALLOWED = {
  requestVideoFrameCallback: 'src/lib/live/frames.ts asks first and looks at each repaint without it',
  cancelVideoFrameCallback: 'as above',
  caretPositionFromPoint: 'src/panel/transcript/LineRow.svelte asks first; Chromium before 128 has caretRangeFromPoint',
  caretRangeFromPoint: 'as above',
  createPolicy: "Svelte asks first, and does without where there are no trusted types",
  structuredClone: 'Svelte copies dates by it in $state.snapshot; no page keeps a date in its state',
  in: "not WebXR's: a method of Svelte's transitions",
  'Object.hasOwn': 'core-js asks first',

  'property:-webkit-touch-callout': 'only for iPads',
  'property:accent-color': 'boxes to tick have the color of the browser',
  'property:content-visibility': 'long transcripts are drawn whole',
  'value:content-visibility:auto': 'as above',
  'property:field-sizing': 'src/panel/transcript/LineField.svelte sets the height itself where this is missing',
  'value:field-sizing:content': 'as above',
  'property:line-clamp': 'all know it as -webkit-line-clamp, which stands before it',
  'property:scrollbar-color': 'the scroll bar has the color of the browser',
  'property:scrollbar-width': 'the scroll bar is as wide as elsewhere',
  'value:scrollbar-width:thin': 'as above',
  'property:size': 'the size of printed paper is chosen in the print dialog',
  'value:align-content:start': 'new in rows of flex boxes alone; ours are grids',
  'value:align-self:end': 'as above',
  'value:align-self:start': 'as above',
  'value:place-items:start': 'as above',
};
