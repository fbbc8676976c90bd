/** Bounds on what bytes from the network may make us allocate. Every reader of Kafka frames takes its limits from here. */

/** Largest request frame by default, size prefix excluded (Kafka's `socket.request.max.bytes`). */
export const frameBytesMaxDefault = 104_857_600

/** A frame that spans chunks gets its whole buffer at once up to this size; beyond it the buffer grows with what arrived. */
export const frameBytesEager = 1_048_576

/** Longest protocol string in UTF-8 bytes, in every version (Kafka reads string lengths as int16 and bounds compact ones alike). */
export const stringBytesMax = 32_767

/** Array elements of one message, all nested arrays together. The largest honest ones name every partition of a cluster. */
export const messageElementsMax = 1_000_000

/** Tagged fields of one struct. */
export const taggedFieldsMax = 1_000
