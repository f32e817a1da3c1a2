import { expect, type Locator, type Page } from '@playwright/test';

/** Stored pixels, origin top left, far edge excluded. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Scope = 'image' | 'series' | 'study';

const scopeNames: Record<Scope, string> = {
  image: 'only this image',
  series: 'all images of this series with the same size',
  study: 'chosen series of this study, images with the same size',
};

export interface SentJob {
  readonly id: string;
  /** The pixels that were sent to be burned. */
  readonly regions: readonly Rectangle[];
}

type Point = readonly [number, number];

/** The parts of OHIF's globals that the tests look at. They only look: everything is done by mouse and keyboard. */
interface ViewerWindow {
  services: {
    viewportGridService: { getActiveViewportId(): string };
    cornerstoneViewportService: { getCornerstoneViewport(id: string): Viewport | null };
    displaySetService: { getActiveDisplaySets(): { SeriesInstanceUID: string; thumbnailSrc?: string }[] };
    userAuthenticationService: { getAuthorizationHeader(): Record<string, string> };
  };
}

interface Viewport {
  readonly element: HTMLDivElement;
  readonly viewportStatus: string;
  getCanvas(): HTMLCanvasElement;
  getCurrentImageId(): string | undefined;
  getImageData(): { imageData: { indexToWorld(index: number[]): number[] } } | null;
  worldToCanvas(world: number[]): [number, number];
}

/** The viewer as a person uses it: what they see, press and drag. */
export class Viewer {
  readonly menu: Locator;
  readonly masks: Locator;
  readonly dialog: Locator;
  readonly panel: Locator;
  readonly progress: Locator;

  constructor(readonly page: Page) {
    this.menu = page.locator('[data-cy="image-masking-button"]');
    this.masks = page.locator('polygon[data-cy="image-mask"]');
    this.dialog = page.getByRole('dialog').filter({ has: page.locator('[data-cy="image-masking-dialog"]') });
    this.panel = page.locator('[data-cy="image-masking-panel"]');
    this.progress = this.panel.getByRole('progressbar');
  }

  async open(studyInstanceUid: string, mode = 'viewer'): Promise<void> {
    await this.page.goto(`/${mode}?StudyInstanceUIDs=${studyInstanceUid}`);
    await this.imageShown();
  }

  /** Waits until the active viewport has drawn its image. */
  async imageShown(): Promise<void> {
    await this.page.locator('[data-cy="viewport-pane"] canvas').first().waitFor({ timeout: 45_000 });
    await this.page.waitForFunction(() => {
      const { services } = window as unknown as ViewerWindow;
      const id = services?.viewportGridService?.getActiveViewportId();
      const viewport = id && services.cornerstoneViewportService.getCornerstoneViewport(id);
      return Boolean(viewport && viewport.getCurrentImageId?.() && viewport.viewportStatus === 'rendered' && viewport.getImageData());
    }, undefined, { timeout: 45_000 });
    await this.settled();
  }

  /** Waits until the image has kept its place for twenty pictures of the screen: panels open and close in motion. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(() => {
      const { services, settling } = window as unknown as ViewerWindow & { settling?: { place: string; count: number } };
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())!;
      const { x, y, width, height } = viewport.element.getBoundingClientRect();
      const place = [x, y, width, height, ...viewport.worldToCanvas(viewport.getImageData()!.imageData.indexToWorld([0, 0, 0]))].join();
      const count = settling?.place === place ? settling.count + 1 : 0;
      Object.assign(window, { settling: { place, count } });
      return count >= 20;
    });
  }

  /** Shows this tab. One that was hidden lays itself out anew, and draws only then. */
  async front(): Promise<void> {
    await this.page.bringToFront();
    await this.settled();
  }

  async choose(item: 'Draw Mask' | 'Approve Mask' | 'Clear Masks'): Promise<void> {
    await this.menu.click();
    await this.menuItem(item).click();
  }

  menuItem(name: string): Locator {
    return this.page.getByRole('menuitem', { name }).or(this.page.getByRole('menuitemradio', { name }));
  }

  /** OHIF's own hot keys: R turns by 90 degrees, H flips, + and - zoom. Waits for the effect of each. */
  async press(...keys: ('r' | 'h' | '+' | '-')[]): Promise<void> {
    for (const key of keys) {
      const before = await this.onScreen([10, 10]);
      await this.page.keyboard.press(key);
      await expect.poll(() => this.onScreen([10, 10])).not.toEqual(before);
    }
  }

  async openPanel(): Promise<void> {
    if (!(await this.panel.isVisible())) {
      await this.page.locator('[data-cy="masks-btn"]').click();
    }
    await expect(this.panel).toBeVisible();
    await this.settled();
  }

  /** The masks as the open panel lists them. */
  async listed(): Promise<Rectangle[]> {
    const texts = await this.panel.getByText(/^\d+, \d+ · \d+ × \d+$/).allTextContents();
    return texts.map(text => {
      const [x, y, width, height] = text.match(/\d+/g)!.map(Number) as [number, number, number, number];
      return { x, y, width, height };
    });
  }

  /**
   * Draws a mask over a rectangle of stored pixels by dragging from the middle of its first pixel to the middle of its last. The mouse moves
   * on whole screen pixels, so this is exact where a stored pixel is wider than one on the screen.
   */
  async draw({ x, y, width, height }: Rectangle): Promise<void> {
    const before = await this.masks.count();
    await this.drag([x + 0.5, y + 0.5], [x + width - 0.5, y + height - 0.5]);
    await expect(this.masks).toHaveCount(before + 1);
  }

  /** Drags between two points given in stored pixels, in steps as a hand does. */
  async drag(from: Point, to: Point): Promise<void> {
    const [start, end] = [await this.onScreen(from), await this.onScreen(to)];
    await this.page.mouse.move(...start);
    await this.page.mouse.down();
    await this.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2);
    await this.page.mouse.move(...end);
    await this.page.mouse.up();
  }

  /** Opens the dialog, chooses the scope, waits for the count and presses Apply Mask. Answers what was sent and the job it made. */
  async approve(scope: Scope = 'image'): Promise<SentJob> {
    await this.choose('Approve Mask');
    await this.dialog.getByRole('radio', { name: scopeNames[scope] }).check();
    return this.apply();
  }

  /** Presses Apply Mask in the open dialog. */
  async apply(press = () => this.dialog.getByRole('button', { name: 'Apply Mask' }).click()): Promise<SentJob> {
    await expect(this.dialog).toContainText('will change');
    await expect(this.dialog.getByRole('button', { name: 'Apply Mask' })).toBeEnabled();
    const [response] = await Promise.all([
      this.page.waitForResponse(answer => new URL(answer.url()).pathname === '/api/mask-jobs' && answer.request().method() === 'POST'),
      press(),
    ]);
    expect(response.status()).toBe(202);
    return { id: ((await response.json()) as { id: string }).id, regions: (response.request().postDataJSON() as { regions: Rectangle[] }).regions };
  }

  /** Waits for the toast of success and for the drawn masks to be gone. */
  async burned(): Promise<void> {
    await expect(this.page.getByText('Masks applied').first()).toBeVisible({ timeout: 60_000 });
    await expect(this.masks).toHaveCount(0);
  }

  async rightClick(pixel: Point): Promise<void> {
    await this.page.mouse.click(...(await this.onScreen(pixel)), { button: 'right' });
  }

  /** Where a point of the image (0, 0 is the outer corner of the first pixel) is in the window. Asks VTK, not the extension. */
  async onScreen([x, y]: Point): Promise<[number, number]> {
    return this.page.evaluate(([column, row]) => {
      const { services } = window as unknown as ViewerWindow;
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())!;
      // VTK's index counts from the centre of the first pixel.
      const world = viewport.getImageData()!.imageData.indexToWorld([column - 0.5, row - 0.5, 0]);
      const [left, top] = viewport.worldToCanvas(world);
      const box = viewport.element.getBoundingClientRect();
      return [Math.round(box.left + left), Math.round(box.top + top)] as [number, number];
    }, [x, y] as const);
  }

  /** The brightest value (0 to 255) that the viewer shows inside a rectangle, read from the canvas below the drawn masks. */
  async brightest(rectangle: Rectangle): Promise<number> {
    return this.page.evaluate(({ x, y, width, height }) => {
      const { services } = window as unknown as ViewerWindow;
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())!;
      const canvas = viewport.getCanvas();
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      const scale = canvas.width / canvas.getBoundingClientRect().width;
      const { imageData } = viewport.getImageData()!;
      let brightest = 0;
      // Samples stay a pixel and a half away from the edge: the screen mixes neighbours there.
      for (let row = y + 1.5; row <= y + height - 1.5; row++) {
        for (let column = x + 1.5; column <= x + width - 1.5; column++) {
          const [left, top] = viewport.worldToCanvas(imageData.indexToWorld([column - 0.5, row - 0.5, 0]));
          const at = 4 * (Math.round(top * scale) * canvas.width + Math.round(left * scale));
          brightest = Math.max(brightest, data[at]!, data[at + 1]!, data[at + 2]!);
        }
      }
      return brightest;
    }, rectangle);
  }

  /** The brightest value inside a rectangle of the first thumbnail; the rectangle is in parts of its width and height. */
  async brightestOfThumbnail(part: Rectangle): Promise<number> {
    return this.page.locator('[data-cy="study-browser-thumbnail"] img').first().evaluate((image: HTMLImageElement, { x, y, width, height }) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext('2d')!;
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(canvas.width * x, canvas.height * y, canvas.width * width, canvas.height * height);
      return Math.max(...data.filter((_, index) => index % 4 !== 3));
    }, part);
  }

  /** From now on OHIF sends a token whose signature is wrong, which the sidecar answers like one that has expired. */
  async spoilToken(): Promise<void> {
    await this.page.evaluate(() => {
      const service = (window as unknown as ViewerWindow).services.userAuthenticationService;
      const { Authorization } = service.getAuthorizationHeader();
      service.getAuthorizationHeader = () => ({ Authorization: `${Authorization!.slice(0, -20)}AAAAAAAAAAAAAAAAAAAA` });
    });
  }

  /** The bearer that OHIF sends. */
  async authorization(): Promise<Record<string, string>> {
    return this.page.evaluate(() => (window as unknown as ViewerWindow).services.userAuthenticationService.getAuthorizationHeader());
  }
}
