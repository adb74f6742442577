import testing from './testing.js';

export const { capture, read } = testing;
export default testing;
