// The package's main file is CommonJS in a folder that says it is not, so Node cannot load it; its module is fine.
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
