import * as pmtaemail from './index.js';

export * from './index.js';
export default pmtaemail;
