/** aws4 brings no types: the part that we use. */
declare module 'aws4' {
  interface Signed {
    readonly headers: Readonly<Record<string, string>>;
  }
  const aws4: {
    sign(
      request: {
        readonly service: string;
        readonly region: string;
        readonly method: string;
        readonly host: string;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: Uint8Array;
      },
      credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string },
    ): Signed;
  };
  export default aws4;
}
