import { z } from 'zod';
import { contentHash } from '../../kernel/ids.ts';
import { NO_USAGE } from '../../models/usage.ts';
import { wireFailure } from '../chat-request.ts';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import { patternPng, readWav, tonePcm, wavWithText } from '../media.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens } from '../tokens.ts';
import { failed, fingerprintOf, NO_UNITS, type WireEndpoint, type WireOutcome } from '../wire.ts';

const imageBody = z.looseObject({
  model: z.string(),
  prompt: z.string().min(1).max(32_000),
  n: z.int().min(1).max(10).nullish(),
  size: z
    .string()
    .regex(/^(auto|\d{2,4}x\d{2,4})$/)
    .nullish(),
  quality: z.string().nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
});
const speechBody = z.looseObject({
  model: z.string(),
  input: z.string().min(1).max(4_096),
  voice: z.union([z.string(), z.looseObject({ id: z.string() })]),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).nullish(),
  speed: z.number().min(0.25).max(4).nullish(),
});

/** Output tokens of one image, as the real provider counts them. */
const IMAGE_TOKENS: Readonly<Record<string, number>> = { low: 272, medium: 1_056, high: 4_160 };
const LONGEST_SIDE = 2_048;

function invalid(error: z.ZodError): ReturnType<typeof failed> {
  const parameter = error.issues[0]?.path.join('.') || 'body';
  return failed(
    wireFailure(400, 'invalid', `Invalid value for '${parameter}': ${error.issues[0]?.message ?? 'not valid'}.`, { parameter }),
  );
}

/** `POST /v1/images/generations`: a real PNG of the asked size, a pattern instead of a picture. */
export const openAiImages: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/)?images\/generations$/,
  handle({ body }) {
    const parsed = imageBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { model, prompt, n, size, quality, response_format: form } = parsed.data;
    const [width = 1_024, height = 1_024] = size === undefined || size === null || size === 'auto' ? [] : size.split('x').map(Number);
    if (width > LONGEST_SIDE || height > LONGEST_SIDE)
      return failed(wireFailure(400, 'invalid', `Invalid size '${size}'.`, { parameter: 'size' }));
    const images = n ?? 1;
    const inputTokens = countTokens(prompt);
    const outputTokens = images * (IMAGE_TOKENS[quality ?? 'medium'] ?? IMAGE_TOKENS.medium ?? 0);
    return {
      kind: 'direct',
      target: { model, fingerprint: fingerprintOf(parsed.data), lastUserText: prompt, metadataFault: null },
      answer: (stamp) => ({
        contentType: 'application/json',
        body: JSON.stringify({
          created: stamp.createdSeconds,
          data: Array.from({ length: images }, (_, at) => {
            const png = patternPng(width, height, `${stamp.seed} ${at} ${prompt}`).toString('base64');
            return form === 'url' ? { url: `data:image/png;base64,${png}` } : { b64_json: png };
          }),
          background: 'opaque',
          output_format: 'png',
          quality: quality ?? 'medium',
          size: `${width}x${height}`,
          usage: {
            input_tokens: inputTokens,
            input_tokens_details: { text_tokens: inputTokens, image_tokens: 0 },
            output_tokens: outputTokens,
            total_tokens: inputTokens + outputTokens,
          },
        }),
        usage: { ...NO_USAGE, inputUncachedTokens: inputTokens, outputTextTokens: outputTokens },
        units: { ...NO_UNITS, images },
        durationMs: 4_000 * images,
      }),
    };
  },
};

const SECONDS_PER_WORD = 0.06;
const LONGEST_SECONDS = 3;

/** `POST /v1/audio/speech`: a short tone. WAV and raw samples are what they are called; every other format is answered with WAV too. */
export const openAiSpeech: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/)?audio\/speech$/,
  handle({ body }) {
    const parsed = speechBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { model, input, response_format: form, speed } = parsed.data;
    const seconds = Math.min(LONGEST_SECONDS, (input.split(/\s+/).length * SECONDS_PER_WORD) / (speed ?? 1));
    return {
      kind: 'direct',
      target: { model, fingerprint: fingerprintOf(parsed.data), lastUserText: input, metadataFault: null },
      answer() {
        const pcm = tonePcm(seconds, input);
        return {
          contentType: form === 'pcm' ? 'audio/pcm' : 'audio/wav',
          body: form === 'pcm' ? pcm : wavWithText(pcm, input),
          usage: NO_USAGE,
          units: { ...NO_UNITS, speechCharacters: [...input].length },
          durationMs: 300,
        };
      },
    };
  },
};

const AUDIO_TOKENS_PER_SECOND = 10;
/** Of sound that is no WAV, its size is all that is known. */
const BYTES_PER_SECOND = 16_000;

/** What a sound "says": the comment of our own WAVs, else a question of the corpus that depends on the bytes. */
function transcribe(bytes: Buffer): { readonly text: string; readonly seconds: number } {
  const wav = readWav(bytes);
  const questions = CORPUS_FEATURES.flatMap(({ conversations }) => conversations.map(({ turns }) => turns[0].question));
  return {
    text: wav?.text ?? seededRandom('transcription', contentHash(bytes)).pick(questions),
    seconds: wav?.seconds ?? bytes.length / BYTES_PER_SECOND,
  };
}

function clock(seconds: number, separator: string): string {
  const at = new Date(Math.round(seconds * 1_000)).toISOString().slice(11, 23);
  return at.replace('.', separator);
}

function transcript(form: string, text: string, seconds: number, usage: unknown): { readonly contentType: string; readonly body: string } {
  const plain = 'text/plain; charset=utf-8';
  switch (form) {
    case 'text':
      return { contentType: plain, body: `${text}\n` };
    case 'srt':
      return { contentType: plain, body: `1\n${clock(0, ',')} --> ${clock(seconds, ',')}\n${text}\n\n` };
    case 'vtt':
      return { contentType: plain, body: `WEBVTT\n\n${clock(0, '.')} --> ${clock(seconds, '.')}\n${text}\n\n` };
    case 'verbose_json':
      return {
        contentType: 'application/json',
        body: JSON.stringify({
          task: 'transcribe',
          language: 'english',
          duration: seconds,
          text,
          segments: [{ id: 0, start: 0, end: seconds, text }],
          usage,
        }),
      };
    default:
      return { contentType: 'application/json', body: JSON.stringify({ text, usage }) };
  }
}

/** `POST /v1/audio/transcriptions`, multipart. */
export const openAiTranscriptions: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/)?audio\/(?:transcriptions|translations)$/,
  takesRawBody: true,
  async handle({ body, headers }): Promise<WireOutcome> {
    const wrong = (message: string, parameter: string): WireOutcome => failed(wireFailure(400, 'invalid', message, { parameter }));
    let form: FormData;
    try {
      form = await new Response(body as Buffer, { headers: { 'content-type': headers['content-type'] ?? '' } }).formData(); // the endpoint takes raw bodies
    } catch {
      return wrong('The body is not valid multipart/form-data.', 'file'); // the caller gets what a provider says
    }
    const [model, file, shape] = [form.get('model'), form.get('file'), form.get('response_format')];
    if (typeof model !== 'string') return wrong("Missing required parameter: 'model'.", 'model');
    if (file === null || typeof file === 'string') return wrong("Missing required parameter: 'file'.", 'file');
    const bytes = Buffer.from(await file.arrayBuffer());
    const { text, seconds } = transcribe(bytes);
    const audioTokens = Math.ceil(seconds * AUDIO_TOKENS_PER_SECOND);
    const outputTokens = countTokens(text);
    const usage = {
      type: 'tokens',
      input_tokens: audioTokens,
      input_token_details: { text_tokens: 0, audio_tokens: audioTokens },
      output_tokens: outputTokens,
      total_tokens: audioTokens + outputTokens,
    };
    return {
      kind: 'direct',
      target: { model, fingerprint: contentHash(bytes), lastUserText: text, metadataFault: null },
      answer: () => ({
        ...transcript(typeof shape === 'string' ? shape : 'json', text, seconds, usage),
        usage: { ...NO_USAGE, audioInputTokens: audioTokens, outputTextTokens: outputTokens },
        units: { ...NO_UNITS, audioSeconds: Math.ceil(seconds) },
        durationMs: 200 + seconds * 50,
      }),
    };
  },
};
