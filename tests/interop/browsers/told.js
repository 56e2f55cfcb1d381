// What a page tells its test, in order: the test waits for what it needs and never for a time.
"use strict";

const told = (window.told = []);

export const tell = (what, facts = {}) => told.push({ what, ...facts });
