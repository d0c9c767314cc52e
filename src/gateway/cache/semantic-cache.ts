import { embedLexically } from '../../models/lexical-embedder.ts';
import type { SnapshotFeature } from '../snapshot.ts';
import { guardForm } from './meaning-guards.ts';
import { normaliseText } from './question-text.ts';
import { type Neighbour, SemanticIndex } from './semantic-index.ts';
import { isPlainlyUnsafe, type ShadowCount } from './semantic-standing.ts';
import type { ModelEmbedder, SemanticSettings } from './settings.ts';

/** A question ready to be compared. */
export interface EmbeddedQuestion {
  /** Everything that must be equal, guards included. */
  readonly circumstances: string;
  readonly vector: Float32Array;
}

/** Comparisons that control has not been told of. */
export interface ShadowReport extends ShadowCount {
  readonly feature: string;
  readonly checkId: string;
}

interface FeatureIndex {
  readonly settings: SemanticSettings;
  /** Null before the first vector has told how long they are. */
  index: SemanticIndex | null;
  /** Since the index began. */
  seen: { samples: number; falseHits: number };
  unreported: { samples: number; falseHits: number };
}

/** Questions by similarity, per feature: in the memory of this gateway, whatever keeps the answers. */
export class SemanticCache {
  readonly #features = new Map<string, FeatureIndex>();

  /** Features that have lost their semantic cache, or have another one, begin anew. */
  configure(features: Iterable<SnapshotFeature>): void {
    const wanted = new Map([...features].map((feature) => [feature.name, feature.cache?.semantic ?? null]));
    for (const [name, { settings }] of this.#features) {
      const now = wanted.get(name);
      if (!now || now.checkId !== settings.checkId || now.maxEntries !== settings.maxEntries) this.#features.delete(name);
    }
  }

  /**
   * @param circumstances hash of what the question is asked of, and under what
   * @param text of the question
   * @param embedByModel for settings that name a model; it may fail
   */
  async embed(
    circumstances: string,
    text: string,
    { embedder }: SemanticSettings,
    embedByModel: (embedder: ModelEmbedder, text: string) => Promise<Float32Array>,
  ): Promise<EmbeddedQuestion> {
    const normalised = normaliseText(text);
    const isLexical = embedder === 'lexical';
    const vector = isLexical ? embedLexically(normalised) : await embedByModel(embedder, normalised);
    return { circumstances: `${circumstances} ${guardForm(text, isLexical ? 'lexical' : 'provider')}`, vector };
  }

  find(feature: string, question: EmbeddedQuestion, { threshold }: SemanticSettings): Neighbour | null {
    const index = this.#features.get(feature)?.index;
    return index?.takes(question.vector) === true ? index.find(question.circumstances, question.vector, threshold) : null;
  }

  add(feature: string, question: EmbeddedQuestion, key: string, settings: SemanticSettings): void {
    const known = this.#of(feature, settings);
    known.index ??= new SemanticIndex(question.vector.length, settings.maxEntries);
    if (known.index.takes(question.vector)) known.index.add(question.circumstances, key, question.vector);
  }

  forget(feature: string, question: EmbeddedQuestion, key: string): void {
    this.#features.get(feature)?.index?.remove(question.circumstances, key);
  }

  /** Whether a hit may be given to a client. */
  isLive(feature: string, settings: SemanticSettings): boolean {
    if (settings.state !== 'live') return false;
    const known = this.#features.get(feature);
    return known === undefined || !isPlainlyUnsafe(known.seen, settings.maxFalseHitRatio);
  }

  /** A kept answer was compared with the model's own. */
  addComparison(feature: string, settings: SemanticSettings, isSame: boolean): void {
    const known = this.#of(feature, settings);
    for (const count of [known.seen, known.unreported]) {
      count.samples++;
      if (!isSame) count.falseHits++;
    }
  }

  /** Hands over what has not been reported; who takes it sees to it that it arrives. */
  takeReports(): ShadowReport[] {
    const reports: ShadowReport[] = [];
    for (const [feature, known] of this.#features) {
      if (known.unreported.samples === 0) continue;
      reports.push({ feature, checkId: known.settings.checkId, ...known.unreported });
      known.unreported = { samples: 0, falseHits: 0 };
    }
    return reports;
  }

  sizes(): ReadonlyMap<string, number> {
    return new Map([...this.#features].map(([feature, { index }]) => [feature, index?.size ?? 0]));
  }

  #of(feature: string, settings: SemanticSettings): FeatureIndex {
    let known = this.#features.get(feature);
    if (known === undefined) {
      known = { settings, index: null, seen: { samples: 0, falseHits: 0 }, unreported: { samples: 0, falseHits: 0 } };
      this.#features.set(feature, known);
    }
    return known;
  }
}
