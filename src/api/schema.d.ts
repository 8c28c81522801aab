/**
 * This file is generated from openapi.json by `jlpm gen:api`. Do not edit it by hand.
 * (This placeholder stands until the first openapi.json is there.)
 */

// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface paths {}
