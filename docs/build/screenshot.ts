/** placeholder */
export async function screenshot(_out: string, _file: string): Promise<void> {}
