/** The two ends of the bare tap. */
export const BARE_HOST = '172.31.255.1';
export const BARE_GUEST = '172.31.255.2';
