/** What is sent through a port, and in pieces of which size. */
export const WRITE_BYTES = 65536;
export const DATA_BYTES = 96 * 1024 * 1024;
