import pmtaemail from './index.js';

export const { check, render, renderAsync, Pickup, MessageError, PickupError, version } = pmtaemail;
export default pmtaemail;
