// Connect's types name the browser's HeadersInit; Node's types spell it only through the Headers constructor.
declare global {
  type HeadersInit = ConstructorParameters<typeof Headers>[0];
}

export {};
