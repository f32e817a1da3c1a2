import { expect, type Locator, type Page } from '@playwright/test';

/** Presses the key until the control has the focus, which must not leave `within` on the way. */
export async function tabTo(page: Page, control: Locator, key = 'Tab', within?: Locator): Promise<void> {
  for (let presses = 0; presses < 100 && !(await control.evaluate(element => element === document.activeElement)); presses++) {
    await page.keyboard.press(key);
    if (within) {
      await expect(within.locator(':focus')).toHaveCount(1);
    }
  }
  await expect(control).toBeFocused();
}
