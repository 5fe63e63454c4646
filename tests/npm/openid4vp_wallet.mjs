// A wallet by another hand (@openid4vc/openid4vp). It reads one line of JSON with the link of a verifier, prints what it
// is asked, reads a line with the presentations or a refusal, sends it, and prints what the verifier said.
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { CompactEncrypt, compactVerify, importJWK, importX509 } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // http on this machine only

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\n', done))

const keyOf = async (signer) => {
  if (signer.method === 'x5c') {
    const pem = `-----BEGIN CERTIFICATE-----\n${signer.x5c[0].match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`
    return importX509(pem, signer.alg)
  }
  return importJWK(JSON.parse(Buffer.from(signer.didUrl.split('#')[0].split(':')[2], 'base64url').toString()), signer.alg)
}
const hash = (data, alg) => createHash(alg.replace('-', '')).update(data).digest()
const nonce = randomBytes(16)
const callbacks = {
  hash,
  generateRandom: () => nonce,
  fetch: (url, init) => fetch(url, init),
  getX509CertificateMetadata: () => ({ sanDnsNames: ['localhost'], sanUriNames: [] }),
  verifyJwt: async (signer, { compact }) => {
    try {
      await compactVerify(compact, await keyOf(signer))
      return { verified: true, signerJwk: {} }
    } catch {
      return { verified: false }
    }
  },
  decryptJwe: async () => ({ decrypted: false }),
  encryptJwe: async (encryptor, data) => ({
    jwe: await new CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid })
      .encrypt(await importJWK(encryptor.publicJwk, encryptor.alg)),
    encryptionJwk: encryptor.publicJwk,
  }),
}

try {
  const client = new Openid4vpClient({ callbacks })
  const { link } = await read()
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link })
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: parsed.params, wallet: { nonce: nonce.toString('base64url'), metadata: { vp_formats_supported: {} } },
  })
  const asked = resolved.authorizationRequestPayload
  await write({ request: asked, client: resolved.client?.prefix ?? null })
  const { answer } = await read()
  const made = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked,
    authorizationResponsePayload: answer,
    ...(asked.response_mode === 'direct_post.jwt'
      ? {
        jarm: {
          encryption: { nonce: randomBytes(16).toString('base64url') },
          serverMetadata: {
            authorization_encryption_alg_values_supported: ['ECDH-ES'],
            authorization_encryption_enc_values_supported: ['A256GCM'],
          },
        },
      } : {}),
  })
  const sent = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked,
    authorizationResponsePayload: made.authorizationResponsePayload,
    ...(made.jarm ? { jarm: made.jarm } : {}),
  })
  await write({ status: sent.response.status, body: await sent.response.json() })
  process.exit(0)
} catch (error) {
  await write({ error: String(error.message ?? error), stack: String(error.stack).split('\n').slice(0, 6) })
  process.exit(1)
}
