/** Passkeys as the browser has them: options of the center in, JSON for the center out. */

type Json = Record<string, unknown>;

/** Whether this browser can make and use passkeys on this page. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && window.isSecureContext;
}

export async function makePasskey(options: Json): Promise<Json> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...(options.user as Json), id: bytes((options.user as Json).id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
  return said(await navigator.credentials.create({ publicKey }));
}

export async function usePasskey(options: Json): Promise<Json> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  } as unknown as PublicKeyCredentialRequestOptions;
  return said(await navigator.credentials.get({ publicKey }));
}

/** Written out by hand: `toJSON` is younger than the oldest browsers that these pages are for. */
function said(credential: Credential | null): Json {
  const made = credential as PublicKeyCredential;
  const response: Json = { clientDataJSON: text(made.response.clientDataJSON) };
  if ('attestationObject' in made.response) {
    response.attestationObject = text((made.response as AuthenticatorAttestationResponse).attestationObject);
  } else {
    const answer = made.response as AuthenticatorAssertionResponse;
    response.authenticatorData = text(answer.authenticatorData);
    response.signature = text(answer.signature);
    if (answer.userHandle) response.userHandle = text(answer.userHandle);
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

function descriptors(list: unknown): Json[] {
  return ((list ?? []) as Json[]).map((one) => ({ ...one, id: bytes(one.id) }));
}

/** Base64url to bytes, and back. */
export function bytes(value: unknown): Uint8Array {
  const plain = String(value).replace(/-/g, '+').replace(/_/g, '/');
  return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
}

export function text(buffer: ArrayBuffer): string {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
