/** The only reader of process.env: everything else is handed the values it needs. */
export const environment: Readonly<Record<string, string | undefined>> = process.env
