/** In the bundle, in place of what only browsers need. */
export {};
