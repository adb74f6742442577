import pmtaemail from './index.js';

export const { check, warnings, render, renderAsync, Pickup, IdempotencyError, MessageError, PickupError, version } = pmtaemail;
export default pmtaemail;
