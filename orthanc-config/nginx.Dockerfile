# nginx with OHIF and the extension. Build it from the repository's root: docker build -f orthanc-config/nginx.Dockerfile .
# Not run on the machines that build this project, see docs/operations.md.
FROM node:20-bookworm-slim AS build
WORKDIR /source/ohif-extension
COPY ohif-extension/package.json ohif-extension/package-lock.json ohif-extension/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY ohif-extension .
RUN npm run build

FROM nginx:1.28
COPY --from=build /source/ohif-extension/node_modules/@ohif/app/dist /srv/ohif
COPY --from=build /source/ohif-extension/dist /srv/mask
# The image fills in ${…} from its environment and puts the results into /etc/nginx/conf.d.
COPY orthanc-config/nginx.conf.template /etc/nginx/templates/default.conf.template
COPY orthanc-config/app-config.js.template /etc/nginx/templates/app-config.js.template
COPY orthanc-config/nginx-password.envsh /docker-entrypoint.d/10-password.envsh
RUN chmod +x /docker-entrypoint.d/10-password.envsh
ENV LISTEN=80 OHIF=/srv/ohif EXTENSION=/srv/mask APP_CONFIG=/etc/nginx/conf.d/app-config.js
