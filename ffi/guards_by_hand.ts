/** Guards. @module */
export const byHand = {};
