export async function benchPeers(_c: unknown) {}
