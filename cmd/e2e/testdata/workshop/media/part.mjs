export const part = 'imported';
