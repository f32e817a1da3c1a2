/** The extension's id; modules are addressed as `<id>.panelModule.masks`. */
export const id = 'ohif-extension-image-masking';
